"""A lock on a file, for which other processes of the user wait."""

from __future__ import annotations

import contextlib
import errno
import os
import sys
import time
from collections.abc import Callable, Iterator

from sandboxd.errors import EnvironmentFailure

_LOOK_SECONDS = 0.05
"""The interval of attempts to get a lock within a time limit, as the system has no call for that."""


LONGEST_SECONDS = 10.0
"""Seconds for which who gives or takes back waits for another process: it may have been stopped."""


class LockTimeout(TimeoutError):
    """Another process still holds the lock at the end of the time limit."""


@contextlib.contextmanager
def locked(
    path: str, before_wait: Callable[[], None] | None = None, *, seconds: float | None = None
) -> Iterator[None]:
    """Hold a lock on the file `path`, which is created if missing, while the block runs.

    Windows has no such lock: there nothing is held and nobody waits.

    :param before_wait: called if another process holds it
    :param seconds: the time limit in seconds; None: no limit
    :raises LockTimeout: another process still holds it then
    :raises OSError: the file cannot be opened, or is a link
    """
    if sys.platform == "win32":
        yield
        return
    import fcntl

    descriptor = open_lock(path)
    try:
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            if before_wait is not None:
                before_wait()
            _wait_for(descriptor, seconds)
        yield
    finally:
        os.close(descriptor)


def open_lock(path: str) -> int:
    """Open the file of a lock, which is created if missing; one in a place where nothing can be written is only read.

    :raises OSError: it cannot be opened, or is a link
    """
    flags = os.O_NOFOLLOW | os.O_CLOEXEC
    try:
        return os.open(path, flags | os.O_RDWR | os.O_CREAT, 0o600)
    except OSError as error:
        if error.errno not in (errno.EROFS, errno.EACCES):
            raise
        return os.open(path, flags | os.O_RDONLY)


def _wait_for(descriptor: int, seconds: float | None) -> None:
    import fcntl

    if seconds is None:
        fcntl.flock(descriptor, fcntl.LOCK_EX)
        return
    end = time.monotonic() + seconds
    while True:
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            if time.monotonic() >= end:
                raise LockTimeout from None
            time.sleep(_LOOK_SECONDS)
        else:
            return


@contextlib.contextmanager
def locked_beside(path: str, *, seconds: float | None = None) -> Iterator[None]:
    """Hold the lock for the file `path`, which belongs to the user, while the block reads, changes and writes it.

    Otherwise, of two changes at the same time, the later would undo the earlier. The lock is a file with `.lock` added
    to the name; its folder is created for this user alone if it is missing.

    :param seconds: the time limit in seconds; None: no limit
    :raises EnvironmentFailure: the lock cannot be had
    """
    with contextlib.ExitStack() as held:
        try:
            os.makedirs(os.path.dirname(path), mode=0o700, exist_ok=True)
            held.enter_context(locked(f"{path}.lock", seconds=seconds))
        except LockTimeout:
            raise EnvironmentFailure(
                f"another process has held the lock of `{path}` for more than {seconds:g} s",
                "end the one that was stopped (`jobs` in its shell), then run the command again",
            ) from None
        except OSError as error:
            raise EnvironmentFailure(
                f"cannot lock `{path}`: {(error.strerror or str(error)).lower()}",
                f"correct the permissions of `{os.path.dirname(path)}`, then run the command again",
            ) from None
        yield
