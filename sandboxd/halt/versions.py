"""Holds what is mounted open, so that it can be told from what replaces it, and read when it is gone.

While a file is open no other gets its number, whatever becomes of its name.

The kernel takes a mount away a moment before the name leads to the new file (`vfs_rename` of Linux detaches, then
moves). A program inside that opens the name just then writes into the old file. So what the old one holds counts only
where it is what it was when nothing was lost."""

from __future__ import annotations

import contextlib
import hashlib
import os
import stat

from sandboxd.files import MAX_BYTES
from sandboxd.halt.verdict import Kind, Version
from sandboxd.observe.mount_table import Identity

_PATH_ONLY = os.O_PATH if hasattr(os, "O_PATH") else os.O_RDONLY


class Held:
    """One file or folder of the host as it was when this was made.

    :raises OSError: nothing is there
    """

    def __init__(self, path: str) -> None:
        flags = _PATH_ONLY | os.O_NOFOLLOW | os.O_CLOEXEC
        self._descriptor = os.open(path, flags)
        status = os.fstat(self._descriptor)
        self.identity = Identity(status.st_dev, status.st_ino)
        if stat.S_ISREG(status.st_mode):
            # Read later, when its name may be gone. A FIFO is not opened: that would wake who waits there.
            with contextlib.suppress(OSError):
                reading = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC)
                if os.path.samestat(os.fstat(reading), status):
                    os.close(self._descriptor)
                    self._descriptor = reading
                else:
                    os.close(reading)
        self._digest = _digest(self._now())

    def version(self) -> Version:
        """What it holds, also when it has no name any more; without data where it is not what it was at first."""
        now = self._now()
        return now if _digest(now) == self._digest else now._replace(data=None)

    def _now(self) -> Version:
        status = os.fstat(self._descriptor)
        if stat.S_ISDIR(status.st_mode):
            return Version(Kind.FOLDER)
        if not stat.S_ISREG(status.st_mode):
            return Version(Kind.OTHER)
        return _of_file(self._descriptor, status)

    def close(self) -> None:
        os.close(self._descriptor)


def _digest(version: Version) -> bytes:
    return hashlib.sha256(version.data).digest() if version.data is not None else b""


def _of_file(descriptor: int, status: os.stat_result) -> Version:
    mode = stat.S_IMODE(status.st_mode)
    if status.st_size > MAX_BYTES:
        return Version(Kind.FILE, None, mode)
    try:
        data = os.pread(descriptor, MAX_BYTES + 1, 0)
    except OSError:
        return Version(Kind.FILE, None, mode)
    return Version(Kind.FILE, data if len(data) <= MAX_BYTES else None, mode)


def identity(path: str) -> Identity:
    """What is at `path`, a link not followed.

    :raises FileNotFoundError: nothing
    """
    try:
        status = os.lstat(path)
    except NotADirectoryError:
        raise FileNotFoundError(path) from None
    return Identity(status.st_dev, status.st_ino)


def present(folder: int, name: str) -> Version:
    """What is at `name` in an open folder.

    :raises OSError: it cannot be seen
    """
    try:
        status = os.stat(name, dir_fd=folder, follow_symlinks=False)
    except FileNotFoundError:
        return Version(Kind.NOTHING)
    if stat.S_ISDIR(status.st_mode):
        return Version(Kind.FOLDER)
    if not stat.S_ISREG(status.st_mode):
        return Version(Kind.OTHER)
    try:
        flags = os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC
        descriptor = os.open(name, flags, dir_fd=folder)
    except OSError:
        return Version(Kind.FILE)
    try:
        return _of_file(descriptor, os.fstat(descriptor))
    finally:
        os.close(descriptor)
