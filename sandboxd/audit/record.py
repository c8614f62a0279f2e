"""The audit record on disk: lines are appended under a lock, and the oldest file is removed when there are too many.

It is in the user's state folder, which no sandbox sees.
"""

from __future__ import annotations

import contextlib
import errno
import os
import re
import stat
import sys
from collections.abc import Mapping
from typing import Any

from sandboxd.audit import marks
from sandboxd.audit.chain import File
from sandboxd.audit.entry import FIRST, LONGEST_LINE, Entry, Kind, digest, gaps, line, read
from sandboxd.audit.marks import Head, Marks
from sandboxd.errors import EnvironmentFailure
from sandboxd.file_lock import LockTimeout, locked

LARGEST_FILE, MOST_FILES = 2 << 20, 8
"""The size of a file in bytes after which a new one is begun, and the number of files that are kept."""

_NAME = re.compile(r"record-(\d{9})\.jsonl")
_LOCK = "lock"
_LOCK_SECONDS = 10.0
"""An entry takes milliseconds: who holds the lock for longer has been stopped, and what waits may take something back."""
_TAIL = 2 * LONGEST_LINE
"""Bytes of a file's end that hold its last line."""


class RecordFailure(EnvironmentFailure):
    """The record cannot be written or read."""


class Record:
    """The audit record in one folder, which the first write creates."""

    def __init__(self, folder: str) -> None:
        self.folder = folder

    def append(
        self, kind: Kind, project: str, by: str, facts: Mapping[str, Any], now: float
    ) -> Entry:
        """Append an entry, and wait until it is on the disk; returns the entry.

        :param by: the login name of the user
        :param now: seconds since 1970
        :raises RecordFailure: it cannot be written; a part that was written is removed
        """
        try:
            self._make_folder()
            with locked(self._path(_LOCK), seconds=_LOCK_SECONDS):
                return self._append(kind, project, by, facts, now)
        except LockTimeout:
            raise RecordFailure(
                f"the record in `{self.folder}`: another process has held its lock for more than "
                f"{_LOCK_SECONDS:g} s",
                "end the one that was stopped (`jobs` in its shell), then run the command again",
            ) from None
        except OSError as error:
            raise self._failure(error) from None

    def files(self) -> tuple[File, ...]:
        """All files of the record, the oldest first.

        :raises RecordFailure: one cannot be read
        """
        try:
            return tuple(
                File(first, self._read(name, 2 * LARGEST_FILE)) for first, name in self._names()
            )
        except OSError as error:
            raise self._failure(error) from None

    def marks(self) -> Marks:
        """The marks of the entry that was written last."""
        return marks.load(self.folder)

    def _append(
        self, kind: Kind, project: str, by: str, facts: Mapping[str, Any], now: float
    ) -> Entry:
        names = self._names()
        last, written = self._last(names), self.marks()
        if gap := self._gap(names, last, written):
            highest = max(filter(None, (last, *written)))
            _, last = self._add(names, highest, "gap", "", by, {"what": gap}, now)
        entry, last = self._add(names, last, kind, project, by, facts, now)
        # A file that cannot go now goes with a later entry.
        with contextlib.suppress(OSError):
            while len(names) > MOST_FILES:
                last = self._rotate(names, last, by, now)
        return entry

    def _add(
        self,
        names: list[tuple[int, str]],
        last: Head | None,
        kind: Kind,
        project: str,
        by: str,
        facts: Mapping[str, Any],
        now: float,
    ) -> tuple[Entry, Head]:
        """Write an entry that follows `last`; a file that is begun for it is added to `names`.

        :raises OSError: it is not written
        """
        number = last.number + 1 if last is not None else 1
        entry = Entry(number, now, kind, project, by, facts, last.digest if last else FIRST)
        text = line(entry)
        name = names[-1][1] if names else ""
        if not name or os.stat(self._path(name)).st_size > LARGEST_FILE:
            name = f"record-{number:09}.jsonl"
            names.append((number, name))
        self._write(name, text)
        head = Head(number, digest(text))
        if last is None:
            try:
                marks.begin(self.folder, head)
            except OSError:
                os.unlink(self._path(name))
                raise
        else:
            marks.save(self.folder, head)
        return entry, head

    def _rotate(self, names: list[tuple[int, str]], last: Head, by: str, now: float) -> Head:
        """Record that the oldest file goes, then remove it; returns the last entry.

        :raises OSError: it cannot be recorded, and the file stays; or it cannot be removed
        """
        (first, name), (after, _) = names[:2]
        lines = [text for text in self._read(name, 2 * LARGEST_FILE).split(b"\n") if text]
        removed = [entry for entry in map(read, lines) if entry is not None]
        facts = {
            "first": first,
            "last": after - 1,
            "last_hash": digest(lines[-1]) if lines else "",
            "gaps": sum(map(gaps, removed)),
        }
        _, last = self._add(names, last, "rotated", "", by, facts, now)
        os.unlink(self._path(name))
        del names[0]
        return last

    def _gap(self, names: list[tuple[int, str]], last: Head | None, written: Marks) -> str:
        """How the files differ from the last mark, for a person; '' if the next entry can simply follow.

        :param last: the last entry in the files
        :param written: a mark may be behind, where it could not be written
        """
        if last is None:
            newest = written.newest()
            return f"all entries up to {newest.number} were missing" if newest is not None else ""
        if written.head is None:
            return "the file that names the last entry was missing"
        for mark in filter(None, written):
            if last.number < mark.number:
                return f"the entries from {last.number + 1} to {mark.number} were missing"
            if last != mark and not self._holds(names, mark):
                return f"entry {mark.number} was not as it was written"
        return ""

    def _holds(self, names: list[tuple[int, str]], mark: Head) -> bool:
        """Whether the files have the entry of a mark as it was written, or had it before they were rotated."""
        name = next((name for first, name in reversed(names) if first <= mark.number), "")
        lines = self._read(name, 2 * LARGEST_FILE).split(b"\n") if name else []
        return not name or any(digest(text) == mark.digest for text in lines)

    def _last(self, names: list[tuple[int, str]]) -> Head | None:
        """The last entry in the files; None where there is none."""
        for _, name in reversed(names):
            descriptor = self._open(name)
            with open(descriptor, "rb") as file:
                file.seek(max(0, os.fstat(file.fileno()).st_size - _TAIL))
                lines = file.read(_TAIL).split(b"\n")
            for text in reversed(lines):
                entry = read(text)
                if entry is not None:
                    return Head(entry.number, digest(text))
        return None

    def _write(self, name: str, text: bytes) -> None:
        descriptor = self._open(name, os.O_RDWR | os.O_APPEND | os.O_CREAT)
        try:
            size = os.fstat(descriptor).st_size
            # A process that was killed in the middle of a line left it without its end.
            is_whole = size == 0 or os.pread(descriptor, 1, size - 1) == b"\n"
            data = (b"" if is_whole else b"\n") + text + b"\n"
            try:
                if os.write(descriptor, data) != len(data):
                    raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
            except OSError:
                os.ftruncate(descriptor, size)
                raise
        finally:
            os.close(descriptor)

    def _names(self) -> list[tuple[int, str]]:
        """The files of the record with the number of their first entry, the oldest first."""
        try:
            names = os.listdir(self.folder)
        except FileNotFoundError:
            return []
        return sorted((int(m[1]), m[0]) for m in map(_NAME.fullmatch, names) if m)

    def _read(self, name: str, limit: int) -> bytes:
        with open(self._open(name), "rb") as file:
            return file.read(limit)

    def _open(self, name: str, flags: int = os.O_RDONLY) -> int:
        """A descriptor of a regular file of the record; a named pipe in its place holds nobody up.

        :raises OSError: it cannot be opened, or is something else
        """
        flags |= getattr(os, "O_NOFOLLOW", 0) | getattr(os, "O_NONBLOCK", 0)
        descriptor = os.open(self._path(name), flags, 0o600)
        if stat.S_ISREG(os.fstat(descriptor).st_mode):
            return descriptor
        os.close(descriptor)
        raise OSError(errno.EINVAL, f"{name} is not a regular file")

    def _make_folder(self) -> None:
        os.makedirs(self.folder, mode=0o700, exist_ok=True)
        status = os.lstat(self.folder)
        if sys.platform == "win32":
            return
        if not stat.S_ISDIR(status.st_mode) or status.st_uid != os.geteuid():
            raise RecordFailure(
                f"the record in `{self.folder}` is not a folder of yours",
                "move it away, or set XDG_STATE_HOME to another folder",
            )
        if status.st_mode & 0o022:
            raise RecordFailure(
                f"the record in `{self.folder}` can be written by others",
                f"`chmod 700 {self.folder}`",
            )

    def _path(self, name: str) -> str:
        return os.path.join(self.folder, name)

    def _failure(self, error: OSError) -> RecordFailure:
        return RecordFailure(
            f"the record in `{self.folder}`: {(error.strerror or 'an error').lower()}",
            "make room there, or set XDG_STATE_HOME to a folder that you can write",
        )
