"""One `up` or `down` at a time for each project and user."""

from __future__ import annotations

import contextlib
import fcntl
import os
import stat
import time
from collections.abc import Callable, Iterator

from sandboxd.errors import EnvironmentFailure
from sandboxd.host.folders import workspace_file

_LOOK_SECONDS = 0.05


@contextlib.contextmanager
def project_lock(
    workspace: str, waiting: Callable[[str], None], check: Callable[[], None] = lambda: None
) -> Iterator[None]:
    """Hold the project's lock; calls `waiting` when another process holds it.

    :param check: called again and again while waiting; ends the wait by raising
    """
    path = workspace_file(_folder(), workspace, ".lock")
    descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC | os.O_NOFOLLOW, 0o600)
    try:
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            waiting("another sandboxd works on this project; waiting for it")
            _wait(descriptor, check)
        yield
    finally:
        os.close(descriptor)


def _wait(descriptor: int, check: Callable[[], None]) -> None:
    while True:
        check()
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
            return
        except BlockingIOError:
            time.sleep(_LOOK_SECONDS)


def _folder() -> str:
    """A folder that only this user can write, so that nobody can hold or replace our locks."""
    base = os.environ.get("XDG_RUNTIME_DIR") or f"/run/user/{os.getuid()}"
    if not os.path.isdir(base):
        base = os.environ.get("XDG_CACHE_HOME") or os.path.expanduser("~/.cache")
    folder = os.path.join(base, f"sandboxd-{os.getuid()}-locks")
    try:
        os.makedirs(folder, 0o700, exist_ok=True)
        status = os.lstat(folder)
    except OSError as error:
        raise EnvironmentFailure(
            f"cannot make the folder `{folder}`: {(error.strerror or str(error)).lower()}",
            "set XDG_RUNTIME_DIR to a folder that you can write",
        ) from None
    if not stat.S_ISDIR(status.st_mode) or status.st_uid != os.getuid() or status.st_mode & 0o022:
        raise EnvironmentFailure(
            f"the folder `{folder}` can be written by others", f"`chmod 700 {folder}`"
        )
    return folder
