"""The groups of names that a project's files chose when its sandbox started.

A sandbox writes into the workspace, so what its files would choose by now may be its own wish. The choice is
kept in the user's state folder from the start of a sandbox to its end.
"""

from __future__ import annotations

import contextlib
import json
import os
from collections.abc import Iterable, Mapping

from sandboxd.errors import SandboxdError
from sandboxd.files import read_source, write_private
from sandboxd.host.folders import state_folder, workspace_file


def recall(environ: Mapping[str, str], workspace: str) -> tuple[str, ...] | None:
    """The names of the kept groups; None where no choice is kept, so that the present files choose."""
    try:
        record = json.loads(read_source(_path(environ, workspace)).text)
        if record["workspace"] != workspace:
            return None
        return tuple(str(name) for name in record["groups"])
    except (SandboxdError, ValueError, KeyError, TypeError, RecursionError):
        return None


def keep(environ: Mapping[str, str], workspace: str, groups: Iterable[str]) -> bool:
    """Keep the choice of a start, unless one is kept; returns whether this call kept it.

    :raises SandboxdError: it cannot be written
    :raises OSError: its folder cannot be made
    """
    if recall(environ, workspace) is not None:
        return False
    path = _path(environ, workspace)
    record = {"workspace": workspace, "groups": sorted(groups)}
    write_private(path, json.dumps(record).encode())
    return True


def forget(environ: Mapping[str, str], workspace: str) -> None:
    """Forget the choice at the end of a sandbox: the files choose again at its next start."""
    with contextlib.suppress(OSError):
        os.unlink(_path(environ, workspace))


def _path(environ: Mapping[str, str], workspace: str) -> str:
    return workspace_file(os.path.join(state_folder(environ), "groups"), workspace, ".json")
