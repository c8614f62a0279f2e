"""What is compared: the entries of a folder and everything below it, at one moment. Types only.

Paths are relative to the side's folder, with `/` as separator; bytes that are not UTF-8 are surrogates, as from
`os.fsdecode`.
"""

from __future__ import annotations

import enum
from collections.abc import Container, Mapping
from typing import NamedTuple

_SECOND = 1_000_000_000
_TICK = _SECOND // 10
"""Nanoseconds; longer than the tick of any kernel's clock."""


class Kind(enum.Enum):
    """The kinds of entries that are copied; sockets, pipes and devices never are."""

    FILE = "file"
    FOLDER = "folder"
    LINK = "link"


class Content(NamedTuple):
    """What makes two entries the same: their content.

    `text` is the SHA-256 of a file in hexadecimal, the target of a link, or '' for a folder. Of the permissions only
    `executable` is copied, and only for files.
    """

    kind: Kind
    text: str = ""
    executable: bool = False


FOLDER = Content(Kind.FOLDER)


class Entry(NamedTuple):
    """One entry of a side; `size` in bytes, `ctime` and `mtime` in nanoseconds since 1970, `mode` as in
    `os.stat_result`.
    """

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
    """The identity of a side's folder; a folder that replaces it has another identity."""

    device: int
    inode: int


def is_settled(entry: Entry, began: int) -> bool:
    """Whether every change of `entry` after a look at it that began at `began` changes its times.

    Two writes within one tick of the file system's clock have the same time, so files that changed when the look began,
    or later, can only be compared by their bytes. FAT, HFS+ and some file servers have ticks of one or two seconds.

    :param began: in nanoseconds since 1970
    """
    tick = _TICK if entry.ctime % _SECOND else 2 * _SECOND
    return entry.ctime < began - tick


class News(NamedTuple):
    """What a snapshot has that another of the same side, the one before it, had not.

    :ivar at: what stands for this snapshot alone, compared by identity
    :ivar since: the same of the snapshot before; None if there was none, or a folder went, so that anything is news
    :ivar paths: the paths whose entry may be another one, or is gone; all that the snapshot before lacked is among them
    """

    at: object
    since: object | None
    paths: frozenset[str]


class Snapshot(NamedTuple):
    """A side at one moment.

    :ivar began: when the scan began, in nanoseconds since 1970
    :ivar excluded: paths that the policy excludes; nothing below them was looked at
    :ivar unknown: paths whose state, and that of everything below, is not known, each with the reason
    :ivar leftovers: temporary files of ours that a killed run left
    :ivar is_whole: False if there was more than the limits allow
    :ivar news: what differs from the snapshot before; None if that is not known
    """

    root: Root
    entries: Mapping[str, Entry]
    began: int = 0
    excluded: frozenset[str] = frozenset()
    unknown: Mapping[str, str] = {}
    leftovers: tuple[str, ...] = ()
    is_whole: bool = True
    news: News | None = None

    def is_settled(self, entry: Entry) -> bool:
        """Whether every change of `entry` after this scan changes its times, see `is_settled`."""
        return is_settled(entry, self.began)

    def content(self, path: str) -> Content | None:
        """The content at `path`; None if nothing is there."""
        entry = self.entries.get(path)
        return None if entry is None else entry.content


Agreed = Mapping[str, Content]
"""The common content of each path at the end of the last comparison."""


def order(path: str) -> str:
    """A sort key that puts a folder before everything in it, and that before every other path."""
    return path.replace("/", "\0")


def above(path: str) -> str:
    """The path of the folder that contains `path`; '' for the side's own folder."""
    return path.rpartition("/")[0]


def is_within(path: str, paths: Container[str]) -> bool:
    """Whether `path`, or a folder above it, is one of `paths`."""
    while path:
        if path in paths:
            return True
        path = above(path)
    return False
