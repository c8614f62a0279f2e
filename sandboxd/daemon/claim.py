"""Being the one daemon of a user: a lock that the kernel gives back however the holder dies."""

from __future__ import annotations

import contextlib
import fcntl
import os
from collections.abc import Iterator

from sandboxd.errors import DaemonError
from sandboxd.ipc import address


@contextlib.contextmanager
def claim(where: str) -> Iterator[str]:
    """Hold the daemon's lock in the folder `where`; yields the path to listen on.

    At the end socket, locks and folder are removed, so that nothing is left behind.

    :raises DaemonError: another daemon holds the lock, or the folder cannot be trusted
    """
    uid = os.getuid()
    descriptor = _lock(where, uid)
    try:
        path = address.socket_path(where)
        # Whoever left it is dead: we hold the lock. Anything but a socket of ours is refused.
        if address.check_socket(path, uid):
            os.unlink(path)
        try:
            yield path
        finally:
            for name in (path, address.lock_path(where), os.path.join(where, "start.lock")):
                with contextlib.suppress(OSError):
                    os.unlink(name)
            with contextlib.suppress(OSError):
                os.rmdir(where)
    finally:
        os.close(descriptor)


def _lock(where: str, uid: int) -> int:
    """A locked descriptor of the lock file that is in place now.

    The last holder removes the file: a lock on a removed file excludes nobody, so look again.
    """
    for _ in range(50):
        address.ensure_folder(where, uid)
        path = address.lock_path(where)
        try:
            descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC | os.O_NOFOLLOW, 0o600)
        except FileNotFoundError:
            continue
        except OSError as error:
            reason = (error.strerror or str(error)).lower()
            raise DaemonError(
                f"cannot open `{path}`: {reason}", f"look at it, then `rm {path}`"
            ) from None
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
            in_place = os.stat(path)
            held = os.fstat(descriptor)
        except BlockingIOError:
            os.close(descriptor)
            raise DaemonError(
                "a daemon is running already", "`sandboxd daemon stop` ends it"
            ) from None
        except FileNotFoundError:
            os.close(descriptor)
            continue
        if (in_place.st_ino, in_place.st_dev) == (held.st_ino, held.st_dev):
            return descriptor
        os.close(descriptor)
    raise DaemonError(f"cannot get the lock in `{where}`", "run the command again")
