"""Starts a daemon: if several processes need one at once, one of them starts it, and it outlives them all."""

from __future__ import annotations

import contextlib
import os
import socket
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping

from sandboxd.errors import DaemonError
from sandboxd.ipc import address

LOG_HINT = "`sandboxd daemon logs` shows what it did"

_ATTEMPTS = 5


def start(environ: Mapping[str, str], patience: float) -> None:
    """Start a daemon and wait until it listens; if several callers do so at once, one of them starts it.

    A daemon that is about to end is waited for first.

    :raises DaemonError: the new daemon ends, or does not listen within `patience` seconds
    """
    uid = os.getuid()
    where = address.folder(environ, uid)
    address.ensure_folder(where, uid)
    path = address.socket_path(where)
    deadline = time.monotonic() + patience
    process: subprocess.Popen[bytes] | None = None
    with _start_lock(where, deadline):
        while time.monotonic() < deadline:
            if _listens(path):
                return
            if process is None:
                # One that ends keeps the lock until it has, and ours would be refused; one that has just
                # begun, or whose socket was deleted, will listen.
                process = None if is_claimed(where) else _spawn(environ)
            elif process.poll() is not None:
                if not is_claimed(where) and not _listens(path):
                    raise DaemonError(
                        f"the daemon ended at once (exit code {process.returncode})", LOG_HINT
                    )
                process = None
            time.sleep(0.005)
    if process is None:
        raise not_listening(patience)
    raise DaemonError(f"the daemon did not come up within {patience:.0f} s", LOG_HINT)


def not_listening(seconds: float) -> DaemonError:
    """The error for a daemon that holds the lock and has not listened for `seconds`."""
    return DaemonError(
        f"a daemon holds its place and did not listen within {seconds:.0f} s", LOG_HINT
    )


def _spawn(environ: Mapping[str, str]) -> subprocess.Popen[bytes]:
    """Start a daemon in a session of its own, without inherited descriptors.

    An editor waits for the end of every pipe that its children hold, so stdio is cut off. `-P`
    and the root folder keep files of the workspace from being imported or held open.
    """
    return subprocess.Popen(
        [sys.executable, "-P", "-m", "sandboxd", "daemon", "run", "--background"],
        stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        start_new_session=True,
        close_fds=True,
        cwd="/",
        env=dict(environ),
    )


@contextlib.contextmanager
def _start_lock(where: str, deadline: float) -> Iterator[None]:
    while (descriptor := _try_start_lock(where)) is None:
        if time.monotonic() > deadline:
            raise DaemonError("another command has been starting the daemon for too long", LOG_HINT)
        time.sleep(0.01)
    try:
        yield
    finally:
        os.close(descriptor)


def _try_start_lock(where: str) -> int | None:
    """A descriptor that holds the lock, or None: another process holds it, or has just removed the file."""
    import fcntl

    descriptor = _open_lock(where)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        if os.path.samestat(os.stat(_start_lock_path(where)), os.fstat(descriptor)):
            return descriptor
    except (BlockingIOError, FileNotFoundError):
        pass
    os.close(descriptor)
    return None


def remove_start_lock(where: str) -> None:
    """Remove the file of the lock, unless a command holds it.

    A second command would lock a file of the same name and start a second daemon. That one is refused while the first
    one runs, but where it comes to its own lock only after `sandboxd daemon stop`, it stays.
    """
    import fcntl

    path = _start_lock_path(where)
    try:
        descriptor = os.open(path, os.O_RDWR | os.O_CLOEXEC | os.O_NOFOLLOW)
    except OSError:
        return
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        os.unlink(path)
    except OSError:
        pass
    finally:
        os.close(descriptor)


def _start_lock_path(where: str) -> str:
    return os.path.join(where, "start.lock")


def _open_lock(where: str) -> int:
    flags = os.O_RDWR | os.O_CREAT | os.O_CLOEXEC | os.O_NOFOLLOW
    for _ in range(_ATTEMPTS):
        try:
            return os.open(_start_lock_path(where), flags, 0o600)
        except FileNotFoundError:
            # A daemon that ends takes the empty folder with it.
            address.ensure_folder(where, os.getuid())
        except OSError as error:
            reason = (error.strerror or "").lower()
            raise DaemonError(
                f"cannot open the lock in `{where}`: {reason}", f"look at `{where}`"
            ) from None
    raise DaemonError(f"`{where}` is removed again and again", "run the command again")


def _listens(path: str) -> bool:
    with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as probe:
        probe.settimeout(0.5)
        try:
            probe.connect(path)
        except OSError:
            return False
        return True


def is_claimed(where: str) -> bool:
    """Whether a running daemon holds the lock in the folder `where`."""
    import fcntl

    try:
        descriptor = os.open(address.lock_path(where), os.O_RDWR | os.O_CLOEXEC | os.O_NOFOLLOW)
    except OSError:
        return False
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return True
    finally:
        os.close(descriptor)
    return False
