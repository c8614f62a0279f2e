"""Holds files and folders open that are mounted, to tell them from their replacements and to read them afterwards.

While a file is open, no other file gets its inode number, even if its name is removed.

The kernel removes a mount a moment before the name leads to the new file (`vfs_rename` of Linux detaches, then
moves). A program inside that opens the name in that moment writes into the old file. So the old file's content counts
only if it has not changed since it was opened here.
"""

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
    """One file or folder of the host as it was when this object was made; it is held open.

    :raises OSError: nothing is at the path, or it cannot be opened
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
        """Its kind, content and mode, also when it was removed; `data` is None if the content changed since it was
        opened.
        """
        now = self._now()
        return now if _digest(now) == self._digest else now._replace(data=None)

    def _now(self) -> Version:
        status = os.fstat(self._descriptor)
        if stat.S_ISDIR(status.st_mode):
            return Version(Kind.FOLDER)
        if not stat.S_ISREG(status.st_mode):
            return Version(Kind.OTHER)
        return _of_file(self._descriptor, status)

    def place(self) -> str:
        """The path at which it lies now, which is another one once it was renamed; '' for none, or one that cannot be told."""
        try:
            path = os.readlink(f"/proc/self/fd/{self._descriptor}")
            return path if identity(path) == self.identity else ""
        except OSError:
            return ""

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
    """Device and inode number of what is at `path`; a link is not followed.

    :raises FileNotFoundError: nothing is there
    """
    try:
        status = os.lstat(path)
    except NotADirectoryError:
        raise FileNotFoundError(path) from None
    return Identity(status.st_dev, status.st_ino)


def present(folder: int, name: str) -> Version:
    """Kind, content and mode of what is at `name` in the open folder `folder`; a link is not followed.

    :raises OSError: it cannot be looked at
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
