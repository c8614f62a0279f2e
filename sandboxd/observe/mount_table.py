"""The mounts of a process, as the host's kernel shows them, and the file that is at a path without following links."""

from __future__ import annotations

import contextlib
import errno
import os
import re
import stat
from collections.abc import Iterator
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

_MOST_BYTES = 8 << 20


class Mounted(NamedTuple):
    """What is mounted at a point: the device's numbers, and the path in its file system as it is called now."""

    device: str
    path: str


class Identity(NamedTuple):
    """A file or folder of the host, however it is called."""

    device: int
    inode: int


Table = dict[str, Mounted]
"""What is mounted, by mount point."""


def of_process(pid: int | str, root: str = "/proc") -> Table:
    """The mounts of a process, `self` for our own.

    :param root: the path of the host's /proc
    :raises OSError: they cannot be read
    """
    return parse(text_of_process(pid, root))


def text_of_process(pid: int | str, root: str = "/proc") -> str:
    """The text of a process's file `mountinfo`, which is the same for all processes of a mount namespace.

    :raises OSError: it cannot be read
    """
    with open(f"{root}/{pid}/mountinfo", "rb") as file:
        return file.read(_MOST_BYTES).decode("utf-8", "surrogateescape")


def parse(text: str) -> Table:
    """The table in the text of a file `mountinfo` (proc(5)); the last mount of a point is on top."""
    table = {}
    for line in text.split("\n"):
        fields = line.split(" ")
        if len(fields) > 4:
            table[_plain(fields[4])] = Mounted(fields[2], _plain(fields[3]))
    return table


def _plain(field: str) -> str:
    """A field without its octal escapes: blank, tab, line end, backslash, number sign."""
    return re.sub(r"\\([0-7]{3})", lambda match: chr(int(match[1], 8)), field)


def place_of(path: str, table: Mapping[str, Mounted]) -> Mounted:
    """The device and the path in its file system of `path`, seen by a process with the mounts `table`."""
    point = path
    while point not in table and point != "/":
        point = os.path.dirname(point)
    device, root = table.get(point, Mounted("", ""))
    rest = path[len(point.rstrip("/")) :]
    return Mounted(device, (root.rstrip("/") + rest) or "/")


def identity(root: str, path: str) -> Identity:
    """The identity of `path` below the folder `root`; nothing is waited for, and no link is followed.

    :raises OSError: it is not there, is a link or below one, or may not be looked at
    """
    with no_links(root, path.split("/")) as descriptor:
        status = os.fstat(descriptor)
    return Identity(status.st_dev, status.st_ino)


@contextlib.contextmanager
def no_links(root: str, parts: Sequence[str]) -> Iterator[int]:
    """A descriptor of a path below `root`, opened step by step; a link is an error.

    :raises OSError: a part is not there, or is a link
    """
    current = os.open(root, os.O_PATH | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        for part in filter(None, parts):
            below = os.open(part, os.O_PATH | os.O_NOFOLLOW | os.O_CLOEXEC, dir_fd=current)
            os.close(current)
            current = below
        if stat.S_ISLNK(os.fstat(current).st_mode):
            raise OSError(errno.ELOOP, os.strerror(errno.ELOOP))
        yield current
    finally:
        os.close(current)
