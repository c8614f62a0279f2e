"""Makes sure that a user has only one daemon, by a lock that the kernel releases when its holder dies."""

from __future__ import annotations

import contextlib
import fcntl
import os
import time
from collections.abc import Iterator

from sandboxd.errors import DaemonError
from sandboxd.ipc import address
from sandboxd.ipc.start import remove_start_lock

_ATTEMPTS = 50

_TAKEN_ATTEMPTS = 20
"""So often the lock may be held before that means a daemon: who asks whether one runs holds it for a moment."""

_PAUSE_SECONDS = 0.01


class Claim:
    """The held lock of the daemon; `path` is where its socket listens."""

    def __init__(self, where: str, descriptor: int, keep_socket: bool) -> None:
        self._where = where
        self._descriptor = descriptor
        self.keep_socket = keep_socket
        self.path = address.socket_path(where)

    def is_in_place(self) -> bool:
        """Whether the lock file is still the one at its path: a removed or replaced file keeps no other daemon out."""
        return self._is_own(self._on_disk())

    def _on_disk(self) -> os.stat_result | None:
        try:
            return os.stat(address.lock_path(self._where))
        except OSError:
            return None

    def _is_own(self, on_disk: os.stat_result | None) -> bool:
        if on_disk is None or self._descriptor < 0:
            return False
        own = os.fstat(self._descriptor)
        return (on_disk.st_ino, on_disk.st_dev) == (own.st_ino, own.st_dev)

    @property
    def folder(self) -> str:
        """The folder that contains socket and lock."""
        return self._where

    def release(self) -> None:
        """Let another daemon start: remove socket, locks and folder. Later calls do nothing.

        A socket on which the service manager listens is not removed, nor anything where the lock is another daemon's.
        """
        if self._descriptor < 0:
            return
        on_disk = self._on_disk()
        is_replaced = on_disk is not None and not self._is_own(on_disk)
        descriptor, self._descriptor = self._descriptor, -1
        if is_replaced:
            os.close(descriptor)
            return
        names = [address.lock_path(self._where)]
        if not self.keep_socket:
            names.append(self.path)
        for name in names:
            with contextlib.suppress(OSError):
                os.unlink(name)
        remove_start_lock(self._where)
        with contextlib.suppress(OSError):
            os.rmdir(self._where)
        os.close(descriptor)


@contextlib.contextmanager
def claim(where: str, *, keep_socket: bool = False) -> Iterator[Claim]:
    """Hold the daemon's lock in the folder `where` for the block.

    :param keep_socket: whether a service manager passed the socket; if not, an existing socket is a dead daemon's and
        removed
    :raises DaemonError: another daemon holds the lock, or the folder cannot be trusted
    """
    uid = os.getuid()
    descriptor = _lock(where, uid)
    try:
        held = Claim(where, descriptor, keep_socket)
        # Whoever left it is dead: we hold the lock. Anything but a socket of ours is refused, and
        # left in place.
        if address.check_socket(held.path, uid) and not keep_socket:
            os.unlink(held.path)
    except BaseException:
        os.close(descriptor)
        raise
    try:
        yield held
    finally:
        held.release()


def _lock(where: str, uid: int) -> int:
    """A locked descriptor of the lock file that is in place now.

    The last holder removes the file: a lock on a removed file excludes nobody, so it is checked again.
    """
    for attempt in range(_ATTEMPTS):
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
            status = os.fstat(descriptor)
        except BlockingIOError:
            os.close(descriptor)
            if attempt < _TAKEN_ATTEMPTS:
                time.sleep(_PAUSE_SECONDS)
                continue
            raise DaemonError(
                "a daemon is running already", "`sandboxd daemon stop` ends it"
            ) from None
        except FileNotFoundError:
            os.close(descriptor)
            continue
        if (in_place.st_ino, in_place.st_dev) == (status.st_ino, status.st_dev):
            return descriptor
        os.close(descriptor)
    raise DaemonError(f"cannot get the lock in `{where}`", "run the command again")
