"""The record of what was sent into a private copy: a list of all of it, by which its changes are known, and what was hidden."""

from __future__ import annotations

import contextlib
import gzip
import json
import os
from typing import TYPE_CHECKING, Any, NamedTuple

from sandboxd.errors import EnvironmentFailure, SandboxdError
from sandboxd.files import write_atomic
from sandboxd.folders import state_folder, workspace_file

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

_MOST_BYTES = 1 << 30


class Sent(NamedTuple):
    """`listed` is as in `original.Manifest`; `hidden` are paths that were hidden, each with the reason."""

    listed: Mapping[str, Sequence[object]]
    hidden: Mapping[str, str]


def note(sandbox: str, copy: str, sent: Sent) -> None:
    """Record which files were sent into a copy, to compare with them later.

    :param sandbox: the sandbox's identity
    :param copy: a text that identifies this copy among those of the sandbox
    :raises EnvironmentFailure: it cannot be recorded, so nobody could say what changed in the copy
    """
    path = _path(sandbox)
    document = {"copy": copy, "listed": sent.listed, "hidden": sent.hidden}
    try:
        os.makedirs(os.path.dirname(path), mode=0o700, exist_ok=True)
        write_atomic(path, gzip.compress(json.dumps(document).encode(), 1), 0o600)
    except (OSError, SandboxdError) as error:
        raise EnvironmentFailure(
            f"cannot note what is in the private copy: {error}",
            "make room there, or set XDG_STATE_HOME to a folder that you can write",
        ) from None


def recall(sandbox: str, copy: str) -> Sent | None:
    """What was sent into the copy `copy`; None if that is not known."""
    with contextlib.suppress(OSError, EOFError, ValueError, KeyError, TypeError, RecursionError):
        with gzip.open(_path(sandbox)) as file:
            document: dict[str, Any] = json.loads(file.read(_MOST_BYTES))
        if document["copy"] == copy:
            return Sent(dict(document["listed"]), dict(document["hidden"]))
    return None


def forget(sandbox: str) -> None:
    """Remove the record of a copy that was removed."""
    with contextlib.suppress(OSError):
        os.unlink(_path(sandbox))


def _path(sandbox: str) -> str:
    return workspace_file(os.path.join(state_folder(os.environ), "copies"), sandbox, ".sent")
