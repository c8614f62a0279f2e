"""Reads the file of packed refs of a git directory, within bounds: what wrote it inside could fill it with anything.

It is counted as bytes before it becomes text: a few MiB of line ends would be gigabytes of lines, and stop the whole
program for seconds.
"""

from __future__ import annotations

import os
import stat

from sandboxd.errors import EnvironmentFailure
from sandboxd.files import reading

NAME = "packed-refs"
LARGEST = 4 << 20
"""Size limit in bytes of a sandbox's file of packed refs; more is allowed where the host's own file is large."""
LARGEST_OF_HOST = 32 << 20
_SHORTEST_LINE = 40
"""Bytes of an id, without which no line is one of git's: 100,000 of them in `LARGEST`."""


class TooMany(EnvironmentFailure):
    """A git directory has more refs than are read, or its packed refs cannot be read."""

    def __init__(self, what: str) -> None:
        super().__init__(
            f"the git directory has {what}, so nothing passes between it and the other side",
            "delete refs that nobody needs, then `git pack-refs --all`",
        )


def largest_beside(common: str) -> int:
    """The size limit in bytes of a sandbox's packed refs: `LARGEST`, or twice the size of the host's where that is
    more.

    :param common: the common git directory of the host's repository
    """
    try:
        size = os.lstat(os.path.join(common, NAME)).st_size
    except OSError:
        size = 0
    return min(max(LARGEST, 2 * size), LARGEST_OF_HOST)


def read_lines(root: int, most: int) -> list[str]:
    """The lines of the packed refs in the open git directory `root`; [] where the file does not exist.

    A file that cannot be read is an error, so that its refs do not count as deleted.

    :param most: size limit in bytes
    :raises TooMany: it is too large, has too many lines, or is not a readable regular file
    """
    flags = os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC
    try:
        descriptor = os.open(NAME, flags, dir_fd=root)
    except FileNotFoundError:
        return []
    except OSError:
        raise TooMany("packed refs that cannot be read") from None
    with reading(descriptor) as file:
        if not stat.S_ISREG(os.fstat(descriptor).st_mode):
            raise TooMany("packed refs that are no file")
        try:
            data = file.read(most + 1)
        except OSError:
            raise TooMany("packed refs that cannot be read") from None
    if len(data) > most:
        raise TooMany(f"more than {most >> 20} MiB of packed refs")
    if data.count(b"\n") > most // _SHORTEST_LINE:
        raise TooMany(f"more than {most // _SHORTEST_LINE} lines of packed refs")
    return os.fsdecode(data).split("\n")
