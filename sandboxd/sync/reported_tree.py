"""The side as a hostile reporter described it so far, assembled folder by folder with limits. Pure."""

from __future__ import annotations

import os
import stat
from collections.abc import Callable, Mapping
from typing import NamedTuple

from sandboxd.sync import wire
from sandboxd.sync.overlay import Moments
from sandboxd.sync.scan import TOO_LARGE, WRITTEN, Limits
from sandboxd.sync.stamps import Stamp, Work, entry_of, of_entries
from sandboxd.sync.state import (
    FOLDER,
    Content,
    Entry,
    Kind,
    News,
    Root,
    Snapshot,
    above,
    is_settled,
)
from sandboxd.sync.wire import TEMPORARY

_MOST_BYTES = 256 << 20
"""The limit for all names and link targets together, in bytes."""


class Want(NamedTuple):
    """A request to send, of the kind LOOK, HASH or FORGET; `size` is that of a file, in bytes."""

    kind: int
    path: str
    size: int = 0


class Listed(NamedTuple):
    """One entry of a folder: the fields of `wire.STATUS`, and the target if it is a link."""

    status: tuple[int, ...]
    target: bytes = b""


class Room(NamedTuple):
    """How many entries a folder may have, whose names and targets have `size` bytes in all."""

    entries: int
    size: int


class Tree:
    """The entries of a side with the folder `root`.

    :param excludes: whether a path is not looked at; its second argument is whether it is a folder
    :param stamps: what files held before, by path: one that is as it was then is not read
    :param work: takes in which files are read
    """

    def __init__(
        self,
        root: Root,
        excludes: Callable[[str, bool], bool],
        limits: Limits,
        stamps: Mapping[str, Stamp] | None = None,
        work: Work | None = None,
    ) -> None:
        self._root, self._excludes, self._limits = root, excludes, limits
        self._stamps, self._work = dict(stamps or {}), work or Work()
        self._entries: dict[str, Entry] = {}
        self._excluded: set[str] = set()
        self._unknown: dict[str, str] = {}
        self._leftovers: set[str] = set()
        self._listings: dict[str, dict[str, Listed]] = {}
        self._began: dict[str, int] = {}
        self._cut: set[str] = set()
        self._count = self._bytes = 0
        self._wants: list[Want] = []
        self._last: object | None = None
        self._news: set[str] = set()
        self._is_folder_gone = False
        self._moments = Moments(self._entries)

    @property
    def root(self) -> Root:
        return self._root

    @property
    def size(self) -> int:
        """The number of entries."""
        return len(self._entries)

    def wants(self) -> list[Want]:
        """The requests that became necessary since the last call, in order."""
        wants, self._wants = self._wants, []
        return wants

    def want_all(self) -> None:
        """Request every folder again."""
        folders = (path for path, entry in self._entries.items() if entry.is_folder)
        self._wants += (Want(wire.LOOK, path) for path in ("", *folders))

    def is_of_use(self, want: Want) -> bool:
        """Whether an answer to the request would still be used."""
        if want.kind == wire.LOOK:
            is_known = want.path in self._listings
            return is_known or (not self._cut and (not want.path or self._is_folder(want.path)))
        return want.kind != wire.HASH or want.path in self._unknown

    def has_listing(self, path: str) -> bool:
        """Whether the content of the folder at `path` is known."""
        return path in self._listings

    def room(self, path: str) -> Room:
        """How much the folder at `path` may have."""
        others = self._count - len(self._listings.get(path, ()))
        return Room(self._limits.entries - others, _MOST_BYTES - self._bytes)

    def snapshot(self) -> Snapshot:
        """The side by the answers so far. `began` is 0, as the side's clock is not this machine's."""
        at = object()
        since = None if self._is_folder_gone else self._last
        news = News(at, since, frozenset(self._news))
        entries = self._moments.show(self._news)
        self._last, self._news, self._is_folder_gone = at, set(), False
        self._stamps = {}
        return Snapshot(
            self._root,
            entries,
            0,
            frozenset(self._excluded),
            dict(self._unknown),
            tuple(sorted(self._leftovers)),
            not self._cut,
            news,
        )

    def stamps(self) -> dict[str, Stamp]:
        """What its files hold, for one that begins anew."""
        return of_entries(self._entries.items(), lambda path: self._began.get(above(path), 0))

    # -- what was answered

    def put_listing(
        self, path: str, listing: dict[str, Listed], began: int, *, is_whole: bool
    ) -> None:
        """Store the content of the folder at `path`.

        :param began: when the reporter began to read it, by its clock
        :param is_whole: False if the folder has more entries
        """
        if path and not self._is_folder(path):
            return
        self._note_cut(path, is_whole)
        before, old = self._began.get(path), self._listings.get(path, {})
        for name in old.keys() - listing.keys():
            self.drop(_join(path, name))
        self._count += len(listing) - len(old)
        self._bytes += _size_of(listing) - _size_of(old)
        self._listings[path], self._began[path] = listing, began
        for name, listed in listing.items():
            full = _join(path, name)
            if not self._is_as_before(full, listed, old.get(name), before):
                self._put(full, listed, before, began)

    def put_file(self, want: Want, status: tuple[int, ...], digest: bytes) -> None:
        """Store the SHA-256 of a file; one that was dropped meanwhile is requested again when it comes back."""
        if want.path in self._unknown:
            del self._unknown[want.path]
            content = Content(Kind.FILE, digest.hex(), bool(status[0] & stat.S_IXUSR))
            self._news.add(want.path)
            self._entries[want.path] = _entry(content, status)
            self._work.note(want.size)

    def put_written(self, path: str, status: tuple[int, ...], digest: bytes) -> None:
        """Store what a file held when it was written: one that is settled at the next look is not read again."""
        mode, size, ctime, mtime, inode, _ = status
        self._stamps[path] = (mode, size, ctime, mtime, inode, digest)
        self._work.note(size)

    def put_failure(self, want: Want, why: str) -> None:
        """Store that a folder or file could not be read."""
        if want.kind == wire.LOOK and self._is_folder(want.path):
            self.drop(want.path)
            self._unknown[want.path] = why

    def drop(self, path: str, *, is_looked_at: bool = False) -> None:
        """Forget everything about `path` and below it.

        :param is_looked_at: whether something else is there now, whose changes are to be reported
        """
        paths = [path]
        while paths:
            each = paths.pop()
            entry = self._entries.pop(each, None)
            self._is_folder_gone |= entry is not None and entry.is_folder
            self._news.add(each)
            self._unknown.pop(each, None)
            self._excluded.discard(each)
            self._leftovers.discard(each)
            self._began.pop(each, None)
            listing = self._listings.pop(each, None)
            if listing is None:
                continue
            self._cut.discard(each)
            self._count -= len(listing)
            self._bytes -= _size_of(listing)
            paths += (_join(each, name) for name in listing)
            if not is_looked_at or each != path:
                self._wants.append(Want(wire.FORGET, each))

    # -- one entry

    def _is_as_before(
        self, path: str, listed: Listed, old: Listed | None, before: int | None
    ) -> bool:
        """Whether nothing is to be noted of an entry, as of most in a folder in which something changed."""
        known = self._entries.get(path)
        if known is None or listed != old or before is None:
            return False
        return known.content.kind is not Kind.FILE or _is_unchanged(known, listed, before)

    def _put(self, path: str, listed: Listed, before: int | None, began: int) -> None:
        """Note an entry of a folder that is looked at since `began`, and was last `before`, None for never."""
        mode = listed.status[0]
        known = self._entries.get(path)
        is_folder = stat.S_ISDIR(mode)
        if known is not None and known.is_folder and is_folder and known.inode == listed.status[4]:
            # What is in it has events of its own.
            self._news.add(path)
            self._entries[path] = _entry(FOLDER, listed.status)
            return
        if known is None and not self._is_noted(path):
            self._news.add(path)
        else:
            self.drop(path, is_looked_at=is_folder)
        if path.rpartition("/")[2].startswith(TEMPORARY):
            self._leftovers.add(path)
        elif self._excludes(path, is_folder):
            self._excluded.add(path)
        elif why := self._why_unknown(path, listed):
            self._unknown[path] = why
        elif is_folder:
            self._entries[path] = _entry(FOLDER, listed.status)
            self._wants.append(Want(wire.LOOK, path))
        elif stat.S_ISLNK(mode):
            content = Content(Kind.LINK, os.fsdecode(listed.target))
            self._entries[path] = _entry(content, listed.status)
        elif known is not None and _is_unchanged(known, listed, before):
            self._entries[path] = known
        elif stamped := self._stamped(path, listed.status, began):
            self._entries[path] = stamped
        else:
            self._unknown[path] = WRITTEN
            self._wants.append(Want(wire.HASH, path, listed.status[1]))

    def _is_noted(self, path: str) -> bool:
        """Whether anything is known of a path that is no entry."""
        is_left_out = path in self._unknown or path in self._excluded or path in self._leftovers
        return is_left_out or path in self._listings

    def _stamped(self, path: str, status: tuple[int, ...], began: int) -> Entry | None:
        """What a file holds, where its stamp tells."""
        stamp = self._stamps.get(path)
        entry = None if stamp is None else entry_of(stamp, status[:5])
        return entry if entry is not None and is_settled(entry, began) else None

    def _why_unknown(self, path: str, listed: Listed) -> str:
        """Why nothing can be said of an entry; '' where something can."""
        mode, size, device = listed.status[0], listed.status[1], listed.status[5]
        if why := self._limits.why_left_out(path, mode, device, self._root):
            return why
        if stat.S_ISLNK(mode):
            return "" if listed.target and b"\0" not in listed.target else WRITTEN
        return TOO_LARGE if stat.S_ISREG(mode) and size > self._limits.size else ""

    def _note_cut(self, path: str, is_whole: bool) -> None:
        was_cut = bool(self._cut)
        if is_whole:
            self._cut.discard(path)
        else:
            self._cut.add(path)
        if was_cut and not self._cut:
            # Folders that came meanwhile were not looked at.
            self.want_all()

    def _is_folder(self, path: str) -> bool:
        entry = self._entries.get(path)
        return entry is not None and entry.is_folder


def _is_unchanged(known: Entry, listed: Listed, before: int | None) -> bool:
    if before is None or known.content.kind is not Kind.FILE:
        return False
    is_same = known == _entry(known.content, listed.status)
    return is_same and is_settled(known, before)


def _entry(content: Content, status: tuple[int, ...]) -> Entry:
    mode, size, ctime, mtime, inode, _ = status
    return Entry(content, mode, 0 if content.kind is Kind.FOLDER else size, ctime, mtime, inode)


def _size_of(listing: dict[str, Listed]) -> int:
    return sum(len(name) + len(listed.target) for name, listed in listing.items())


def _join(folder: str, name: str) -> str:
    return f"{folder}/{name}" if folder else name
