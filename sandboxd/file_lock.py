"""A lock, held on a file, that other processes of the user wait for."""

from __future__ import annotations

import contextlib
import os
import sys
from collections.abc import Callable, Iterator


@contextlib.contextmanager
def locked(path: str, before_wait: Callable[[], None] | None = None) -> Iterator[None]:
    """Hold a lock on the file `path`, which is created if missing, while the block runs.

    Windows has no such lock: there nothing is held and nobody waits.

    :param before_wait: called if another process holds it
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
            fcntl.flock(descriptor, fcntl.LOCK_EX)
        yield
    finally:
        os.close(descriptor)
