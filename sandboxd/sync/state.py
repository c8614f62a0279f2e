"""What is compared of the two sides: the entries of a folder and of all below it, at one moment. Types only.

Paths are relative to the side's folder, with `/` between their parts; bytes that are not UTF-8 stand as surrogates, as
of `os.fsdecode`.
"""

from __future__ import annotations

import enum
from collections.abc import Container, Mapping
from typing import NamedTuple

_SECOND = 1_000_000_000
_TICK = _SECOND // 10
"""Nanoseconds: more than a tick of any kernel's clock."""


class Kind(enum.Enum):
    """What is kept the same. Sockets, pipes and devices are of neither kind: they stay where they were made."""

    FILE = "file"
    FOLDER = "folder"
    LINK = "link"


class Content(NamedTuple):
    """What both sides agree upon: two entries of equal content are the same.

    `text` is the SHA-256 of a file in hexadecimal, the target of a link, and '' for a folder. Of the permissions
    only `executable` passes, and of files alone.
    """

    kind: Kind
    text: str = ""
    executable: bool = False


FOLDER = Content(Kind.FOLDER)


class Entry(NamedTuple):
    """One entry of a side; `size` in bytes, `ctime` and `mtime` in nanoseconds since 1970, `mode` as of `stat`."""

    content: Content
    mode: int = 0
    size: int = 0
    ctime: int = 0
    mtime: int = 0
    inode: int = 0

    @property
    def is_folder(self) -> bool:
        return self.content.kind is Kind.FOLDER


class Root(NamedTuple):
    """The identity of a side's folder: another folder that was put in its place has another one."""

    device: int
    inode: int


class Snapshot(NamedTuple):
    """A side at one moment.

    :ivar began: when the look began, in nanoseconds since 1970
    :ivar excluded: paths that the policy leaves where they were made: nothing below them was looked at
    :ivar unknown: paths of which nothing can be said, nor of what is below, each with the reason
    :ivar leftovers: files of ours that an application which was killed left behind
    :ivar is_whole: False where there was more than is looked at
    """

    root: Root
    entries: Mapping[str, Entry]
    began: int = 0
    excluded: frozenset[str] = frozenset()
    unknown: Mapping[str, str] = {}
    leftovers: tuple[str, ...] = ()
    is_whole: bool = True

    def is_settled(self, entry: Entry) -> bool:
        """Whether a change of `entry` after this look has another time than it has.

        Two writes within one tick of the file system's clock have the same time: what was changed as the look began,
        or since, is told by its bytes alone. FAT, HFS+ and some file servers count whole seconds, by twos.
        """
        tick = _TICK if entry.ctime % _SECOND else 2 * _SECOND
        return entry.ctime < self.began - tick

    def content(self, path: str) -> Content | None:
        """The content at `path`, None where nothing is."""
        entry = self.entries.get(path)
        return None if entry is None else entry.content


Agreed = Mapping[str, Content]
"""The content that both sides had at a path when they were last compared."""


def order(path: str) -> str:
    """Sorts a folder before all that is in it, and that before every other path."""
    return path.replace("/", "\0")


def above(path: str) -> str:
    """The path of the folder that `path` is in, '' for the side's own."""
    return path.rpartition("/")[0]


def is_within(path: str, paths: Container[str]) -> bool:
    """Whether `path`, or a folder that it is in, is one of `paths`."""
    while path:
        if path in paths:
            return True
        path = above(path)
    return False
