"""Records sandboxes whose processes are stopped because they are about to end, in case that run is killed.

If a process dies after it saved the work and before it ended the sandbox, everything inside stays stopped, and nothing
inside tells why: the next start reads the record and continues the processes.
"""

from __future__ import annotations

import contextlib
import os
from typing import TYPE_CHECKING

from sandboxd.folders import state_folder, workspace_file

if TYPE_CHECKING:
    from collections.abc import Mapping


def note(environ: Mapping[str, str], container: str) -> None:
    """Record, beforehand, that the processes of a container are going to be stopped.

    Errors are ignored, so that the end goes on. The file is not synced to disk: it survives the death of a process, but
    not necessarily that of the machine.

    :param container: its id, or the UID of a Pod
    """
    path = _path(environ, container)
    with contextlib.suppress(OSError):
        os.makedirs(os.path.dirname(path), mode=0o700, exist_ok=True)
        os.close(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_NOFOLLOW | os.O_CLOEXEC, 0o600))


def is_noted(environ: Mapping[str, str], container: str) -> bool:
    """Whether the processes of a container may be stopped."""
    return os.path.lexists(_path(environ, container))


def forget(environ: Mapping[str, str], container: str) -> None:
    """Remove the record: the container has ended, or its processes continue."""
    with contextlib.suppress(OSError):
        os.unlink(_path(environ, container))


def _path(environ: Mapping[str, str], container: str) -> str:
    return workspace_file(os.path.join(state_folder(environ), "stopped"), container, "")
