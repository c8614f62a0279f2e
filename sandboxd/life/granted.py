"""The grants of a container's start, saved for comparing the container with its plan.

They lie in the user's state folder, by workspace: an image can bring a label that says the same."""

from __future__ import annotations

import contextlib
import json
import os
from typing import TYPE_CHECKING, NamedTuple

from sandboxd.errors import SandboxdError
from sandboxd.files import read_source, write_private
from sandboxd.folders import state_folder, workspace_file

if TYPE_CHECKING:
    from collections.abc import Mapping


class Granted(NamedTuple):
    """The grant `--allow-runc` of a start; `container` is the id of what it started."""

    container: str


def keep(environ: Mapping[str, str], workspace: str, container: str, *, allow_runc: bool) -> None:
    """Save the grant of a start, or that there was none; failing to write is no failure of the start."""
    path = _path(environ, workspace)
    with contextlib.suppress(OSError, SandboxdError):
        if allow_runc:
            record = {"workspace": workspace, "container": container}
            # The container that it is about ends with the machine.
            write_private(path, json.dumps(record).encode(), synced=False)
        elif (before := recall(environ, workspace)) is not None and before.container != container:
            os.unlink(path)


def recall(environ: Mapping[str, str], workspace: str) -> Granted | None:
    """The grant that the last start of a sandbox used; None if it used none, or nothing is saved.

    :param workspace: the sandbox's identity
    """
    try:
        record = json.loads(read_source(_path(environ, workspace)).text)
        return Granted(str(record["container"])) if record["workspace"] == workspace else None
    except (SandboxdError, ValueError, KeyError, TypeError, RecursionError):
        return None


def _path(environ: Mapping[str, str], workspace: str) -> str:
    folder = os.path.join(state_folder(environ), "granted")
    return workspace_file(folder, workspace, ".json")
