"""Sandboxes whose processes are stopped because they are about to end, noted for a run that is killed before that.

A process that dies between keeping the work and ending the sandbox leaves every process inside stopped, and
nothing inside says by whom: the next start reads the note, and lets them continue."""

from __future__ import annotations

import contextlib
import os
from typing import TYPE_CHECKING

from sandboxd.host.folders import state_folder, workspace_file

if TYPE_CHECKING:
    from collections.abc import Mapping


def note(environ: Mapping[str, str], container: str) -> None:
    """Note, before it is done, that the processes of a container are stopped.

    A failure is ignored: the end goes on. Not synchronised to disk: it is for a process that dies, not for a
    machine.

    :param container: its id, or the uid of a Pod
    """
    path = _path(environ, container)
    with contextlib.suppress(OSError):
        os.makedirs(os.path.dirname(path), mode=0o700, exist_ok=True)
        os.close(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_NOFOLLOW | os.O_CLOEXEC, 0o600))


def is_noted(environ: Mapping[str, str], container: str) -> bool:
    """Whether the processes of a container may be stopped."""
    return os.path.lexists(_path(environ, container))


def forget(environ: Mapping[str, str], container: str) -> None:
    """Remove the note: the container has ended, or its processes continue."""
    with contextlib.suppress(OSError):
        os.unlink(_path(environ, container))


def _path(environ: Mapping[str, str], container: str) -> str:
    return workspace_file(os.path.join(state_folder(environ), "stopped"), container, "")
