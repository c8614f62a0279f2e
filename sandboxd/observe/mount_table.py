"""The mounts of a process as the host's kernel shows them, and the identity of a file at a path without following
links.
"""

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
    """What is mounted at a mount point: the device (``major:minor``), and the path on it by its present name."""

    device: str
    path: str


class Identity(NamedTuple):
    """The identity of a file or folder of the host, which does not depend on its name."""

    device: int
    inode: int


Table = dict[str, Mounted]
"""Mount point -> what is mounted there."""


def of_process(pid: int | str, root: str = "/proc") -> Table:
    """The mounts of a process; `self` means this process.

    :param root: the path of the host's /proc
    :raises OSError: they cannot be read
    """
    return parse(text_of_process(pid, root))


def text_of_process(pid: int | str, root: str = "/proc") -> str:
    """The text of a process's `mountinfo`, which is the same for all processes of a mount namespace.

    :raises OSError: it cannot be read
    """
    with open(f"{root}/{pid}/mountinfo", "rb") as file:
        return file.read(_MOST_BYTES).decode("utf-8", "surrogateescape")


def parse(text: str) -> Table:
    """Parse the text of a `mountinfo` (proc(5)). Of several mounts at one point the last, which hides the others, is
    kept.
    """
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
    """The device, and the path on it, of the file at `path`, as a process with the mounts `table` sees it."""
    point = path
    while point not in table and point != "/":
        point = os.path.dirname(point)
    device, root = table.get(point, Mounted("", ""))
    rest = path[len(point.rstrip("/")) :]
    return Mounted(device, (root.rstrip("/") + rest) or "/")


def identity(root: str, path: str) -> Identity:
    """The identity of the file at `path` below the folder `root`. No link is followed, and nothing blocks.

    :raises OSError: it does not exist, a link is on the path, or there is no permission
    """
    with no_links(root, path.split("/")) as descriptor:
        status = os.fstat(descriptor)
    return Identity(status.st_dev, status.st_ino)


@contextlib.contextmanager
def no_links(root: str, parts: Sequence[str]) -> Iterator[int]:
    """Yield a descriptor of a path below `root`, opened part by part without following links.

    :raises OSError: a part does not exist, or is a link
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
