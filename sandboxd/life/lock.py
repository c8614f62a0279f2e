"""One `up` or `down` at a time for each project and user."""

from __future__ import annotations

import contextlib
import fcntl
import os
import stat
import time
from collections.abc import Callable, Iterator

from sandboxd.errors import EnvironmentFailure
from sandboxd.host.folders import state_folder, workspace_file

_LOOK_SECONDS = 0.05


@contextlib.contextmanager
def project_lock(
    workspace: str, waiting: Callable[[str], None], check: Callable[[], None] = lambda: None
) -> Iterator[None]:
    """Hold the project's lock; calls `waiting` when another process holds it.

    :param check: called again and again while waiting; ends the wait by raising
    """
    path = workspace_file(_folder(), workspace, ".lock")
    try:
        descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC | os.O_NOFOLLOW, 0o600)
    except OSError as error:
        raise EnvironmentFailure(
            f"cannot open the lock `{path}`: {(error.strerror or str(error)).lower()}",
            "correct that: without it two commands could work on one project at a time",
        ) from None
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
    """A folder that only this user can write, so that nobody can hold or replace our locks.

    In the user's state: `XDG_RUNTIME_DIR` differs between the logins of one user, and then two of them would
    work on one project at a time.
    """
    folder = os.path.join(state_folder(os.environ), "locks")
    try:
        os.makedirs(folder, 0o700, exist_ok=True)
        status = os.lstat(folder)
    except OSError as error:
        raise EnvironmentFailure(
            f"cannot make the folder `{folder}`: {(error.strerror or str(error)).lower()}",
            "set XDG_STATE_HOME to a folder that you can write",
        ) from None
    if not stat.S_ISDIR(status.st_mode) or status.st_uid != os.getuid() or status.st_mode & 0o022:
        raise EnvironmentFailure(
            f"the folder `{folder}` can be written by others", f"`chmod 700 {folder}`"
        )
    return folder
