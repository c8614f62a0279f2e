"""A lock, held on a file, that other processes of the user wait for."""

from __future__ import annotations

import contextlib
import os
import sys
import time
from collections.abc import Callable, Iterator

from sandboxd.errors import EnvironmentFailure

_LOOK_SECONDS = 0.05
"""Seconds between two looks at a lock that is not waited for without end: the system has no other way."""


class LockTimeout(TimeoutError):
    """Another process holds the lock, and goes on holding it."""


@contextlib.contextmanager
def locked(
    path: str, before_wait: Callable[[], None] | None = None, *, seconds: float | None = None
) -> Iterator[None]:
    """Hold a lock on the file `path`, which is created if missing, while the block runs.

    Windows has no such lock: there nothing is held and nobody waits.

    :param before_wait: called if another process holds it
    :param seconds: how long it is waited for, None for without end
    :raises LockTimeout: another process holds it for longer
    :raises OSError: the file cannot be opened, or is a link
    """
    if sys.platform == "win32":
        yield
        return
    import fcntl

    flags = os.O_RDWR | os.O_CREAT | os.O_NOFOLLOW | os.O_CLOEXEC
    descriptor = os.open(path, flags, 0o600)
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
def locked_beside(path: str) -> Iterator[None]:
    """Hold the lock of the user's own file at `path` while the block reads, changes and writes it.

    Without it the last of two who change it at once takes back what the other one did. The lock is `path` with
    `.lock` at its end, in a folder that is made if missing, for this user alone.

    :raises EnvironmentFailure: the lock cannot be had
    """
    with contextlib.ExitStack() as held:
        try:
            os.makedirs(os.path.dirname(path), mode=0o700, exist_ok=True)
            held.enter_context(locked(f"{path}.lock"))
        except OSError as error:
            raise EnvironmentFailure(
                f"cannot lock `{path}`: {(error.strerror or str(error)).lower()}",
                f"correct the permissions of `{os.path.dirname(path)}`, then run the command again",
            ) from None
        yield
