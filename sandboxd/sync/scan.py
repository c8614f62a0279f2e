"""Scans a side: every entry by the descriptor of its folder, so that no link is followed.

A side may be hostile: the scan is limited, what changes during reading is not used, and what cannot be read is unknown,
which never counts as removed.
"""

from __future__ import annotations

import hashlib
import os
import stat
import time
from collections.abc import Callable, Mapping
from typing import NamedTuple

from sandboxd.errors import SandboxdError
from sandboxd.plan import beneath
from sandboxd.sync.stamps import Stamp, Work, entry_of
from sandboxd.sync.state import FOLDER, Content, Entry, Kind, Root, Snapshot
from sandboxd.sync.wire import TEMPORARY

_CHUNK = 1 << 20
_LONGEST_PATH = 4000
"""Linux allows 4096 bytes for a path; our temporary names are longer than those that they replace."""
WRITTEN = "it is being written"
TOO_LARGE = "it is too large"


class Limits(NamedTuple):
    """What is scanned at most: with more than `entries`, the snapshot is not whole; of larger files than `size` bytes,
    the content is unknown.
    """

    entries: int = 1_000_000
    depth: int = 100
    size: int = 8 << 30

    def why_left_out(self, path: str, mode: int, device: int, root: Root) -> str:
        """Why an entry is not compared, whatever it holds; '' where it is.

        :param mode: its type and permissions, as in `os.stat_result`
        :param device: the file system that it is on
        """
        if device != root.device:
            return "it is of another file system"
        # No character takes more than four bytes, and most paths are short.
        if 4 * len(path) > _LONGEST_PATH and len(os.fsencode(path)) > _LONGEST_PATH:
            return "its path is too long"
        if stat.S_ISDIR(mode):
            return "it is nested too deep" if path.count("/") >= self.depth else ""
        is_copied = stat.S_ISREG(mode) or stat.S_ISLNK(mode)
        return "" if is_copied else "it is neither a file, a folder nor a link"


class _Walk:
    def __init__(
        self,
        root: Root,
        excludes: Callable[[str, bool], bool],
        before: Snapshot | None,
        limits: Limits,
        stamps: Mapping[str, Stamp],
        work: Work,
    ) -> None:
        self._stamps, self._work = stamps, work
        self.entries: dict[str, Entry] = {}
        self.excluded: set[str] = set()
        self.unknown: dict[str, str] = {}
        self.leftovers: list[str] = []
        self.left = limits.entries
        self._root, self._excludes, self._limits = root, excludes, limits
        self._before = before if before is not None and before.root == root else Snapshot(root, {})

    def look(self, folder: int, path: str) -> list[str]:
        """Note the entries of an open folder; returns the paths of those that are folders."""
        below = []
        with os.scandir(folder) as entries:
            for entry in entries:
                self.left -= 1
                if self.left < 0:
                    break
                name = f"{path}/{entry.name}" if path else entry.name
                try:
                    if self._note(folder, name, entry):
                        below.append(name)
                except FileNotFoundError:
                    continue
                except OSError as error:
                    self.unknown[name] = (error.strerror or str(error)).lower()
        return below

    def _note(self, folder: int, path: str, entry: os.DirEntry[str]) -> bool:
        """Note one entry; returns whether it is a folder that is looked into."""
        if entry.name.startswith(TEMPORARY):
            self.leftovers.append(path)
            return False
        is_folder = entry.is_dir(follow_symlinks=False)
        if self._excludes(path, is_folder):
            self.excluded.add(path)
            return False
        status = entry.stat(follow_symlinks=False)
        if is_folder != stat.S_ISDIR(status.st_mode):
            self.unknown[path] = WRITTEN
        elif why := self._limits.why_left_out(path, status.st_mode, status.st_dev, self._root):
            self.unknown[path] = why
        elif is_folder:
            self.entries[path] = _entry(FOLDER, status)
            return True
        elif stat.S_ISLNK(status.st_mode):
            self.entries[path] = _entry(
                Content(Kind.LINK, os.readlink(entry.name, dir_fd=folder)), status
            )
        else:
            self._note_file(folder, path, status)
        return False

    def _note_file(self, folder: int, path: str, status: os.stat_result) -> None:
        known = self._before.entries.get(path)
        if (
            known is not None
            and self._before.is_settled(known)
            and known == _entry(known.content, status)
        ):
            self.entries[path] = known
            return
        if status.st_size > self._limits.size:
            self.unknown[path] = TOO_LARGE
            return
        stamp = self._stamps.get(path)
        now = _entry(Content(Kind.FILE), status)
        if stamp is not None and (stamped := entry_of(stamp, now[1:])) is not None:
            self.entries[path] = stamped
            return
        self._work.note(status.st_size)
        entry = read_entry(folder, path.rpartition("/")[2], status.st_size)
        if entry is None:
            self.unknown[path] = WRITTEN
        else:
            self.entries[path] = entry


def scan(
    root: int,
    excludes: Callable[[str, bool], bool],
    before: Snapshot | None = None,
    limits: Limits | None = None,
    stamps: Mapping[str, Stamp] | None = None,
    work: Work | None = None,
) -> Snapshot:
    """The state of the open folder `root` and everything below it.

    :param excludes: whether a path is not looked at; its second argument is whether it is a folder
    :param before: the last snapshot: files with the same inode, size and times are not read again
    :param stamps: what files held before that
    :param work: takes in which files are read
    :raises OSError: the folder itself cannot be read
    """
    status = os.fstat(root)
    began = time.time_ns()
    identity = Root(status.st_dev, status.st_ino)
    walk = _Walk(identity, excludes, before, limits or Limits(), stamps or {}, work or Work())
    folders = walk.look(root, "")
    while folders and walk.left >= 0:
        path = folders.pop()
        try:
            with beneath.parent_of(root, f"{path}/.", create=False) as folder:
                folders += walk.look(folder, path)
        except (FileNotFoundError, SandboxdError):
            walk.unknown[path] = WRITTEN
        except OSError as error:
            walk.unknown[path] = (error.strerror or str(error)).lower()
    return Snapshot(
        identity,
        walk.entries,
        began,
        frozenset(walk.excluded),
        walk.unknown,
        tuple(walk.leftovers),
        walk.left >= 0,
    )


def read_entry(folder: int, name: str, size: int) -> Entry | None:
    """The state of the regular file `name` in an open folder; None if it changes during reading.

    :param size: its size in bytes
    :raises OSError: it cannot be read
    """
    flags = os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC | os.O_NOCTTY
    descriptor = os.open(name, flags, dir_fd=folder)
    try:
        before = os.fstat(descriptor)
        if not stat.S_ISREG(before.st_mode) or before.st_size != size:
            return None
        digest, left = hashlib.sha256(), size
        # A file that grows as it is read has no end; what it has more than at first is a change.
        while left > 0 and (chunk := os.read(descriptor, min(_CHUNK, left))):
            digest.update(chunk)
            left -= len(chunk)
        status = os.fstat(descriptor)
    finally:
        os.close(descriptor)
    content = Content(Kind.FILE, digest.hexdigest(), bool(status.st_mode & stat.S_IXUSR))
    return _entry(content, status) if _entry(content, before) == _entry(content, status) else None


def _entry(content: Content, status: os.stat_result) -> Entry:
    return Entry(
        content,
        status.st_mode,
        0 if content.kind is Kind.FOLDER else status.st_size,
        status.st_ctime_ns,
        status.st_mtime_ns,
        status.st_ino,
    )
