"""The audit record on disk: lines are appended under a lock; the oldest file is removed when there are too many.

It lies in the user's state folder, which no sandbox sees."""

from __future__ import annotations

import contextlib
import json
import os
import re
import stat
import sys
from collections.abc import Mapping
from typing import Any

from sandboxd.audit.chain import File, Head
from sandboxd.audit.entry import FIRST, LONGEST_LINE, Entry, Kind, digest, line, read
from sandboxd.errors import EnvironmentFailure
from sandboxd.file_lock import locked

LARGEST_FILE, MOST_FILES = 2 << 20, 8
"""Bytes of a file after which a new one is begun, and files that are kept."""

_NAME = re.compile(r"record-(\d{9})\.jsonl")
_HEAD, _LOCK = "head.json", "lock"
_TAIL = 2 * LONGEST_LINE
"""Bytes of a file's end that hold its last line."""


class RecordFailure(EnvironmentFailure):
    """The record cannot be written or read."""


class Record:
    """The record in one folder, which is created by the first write."""

    def __init__(self, folder: str) -> None:
        self.folder = folder

    def append(
        self, kind: Kind, project: str, by: str, facts: Mapping[str, Any], now: float
    ) -> Entry:
        """Append an entry and wait until the system has its bytes.

        :param now: seconds since 1970
        :raises RecordFailure: it is not written; a part that was written is taken back
        """
        try:
            self._make_folder()
            with locked(self._path(_LOCK)):
                return self._append(kind, project, by, facts, now)
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

    def head(self) -> Head | None:
        """The entry that was written last; None where there is no readable head."""
        try:
            fields = json.loads(self._read(_HEAD, 1000))
            return Head(int(fields["number"]), str(fields["digest"]))
        except (OSError, ValueError, KeyError, TypeError):
            return None

    def _append(
        self, kind: Kind, project: str, by: str, facts: Mapping[str, Any], now: float
    ) -> Entry:
        names = self._names()
        last = self._last(names)
        number = last.number + 1 if last is not None else 1
        entry = Entry(number, now, kind, project, by, facts, last.digest if last else FIRST)
        text = line(entry)
        name = names[-1][1] if names else ""
        if not name or os.stat(self._path(name)).st_size > LARGEST_FILE:
            name = f"record-{number:09}.jsonl"
        self._write(name, text)
        for _, old in names[: max(0, len(self._names()) - MOST_FILES)]:
            os.unlink(self._path(old))
        self._write_head(Head(number, digest(text)))
        return entry

    def _last(self, names: list[tuple[int, str]]) -> Head | None:
        """The last entry in the files; the head may be one behind."""
        for _, name in reversed(names):
            with open(self._path(name), "rb") as file:
                file.seek(max(0, os.fstat(file.fileno()).st_size - _TAIL))
                lines = file.read(_TAIL).split(b"\n")
            for text in reversed(lines):
                entry = read(text)
                if entry is not None:
                    return Head(entry.number, digest(text))
        return self.head()

    def _write(self, name: str, text: bytes) -> None:
        flags = os.O_RDWR | os.O_APPEND | os.O_CREAT | getattr(os, "O_NOFOLLOW", 0)
        descriptor = os.open(self._path(name), flags, 0o600)
        try:
            size = os.fstat(descriptor).st_size
            # A process that was killed in the middle of a line left it without its end.
            is_whole = size == 0 or os.pread(descriptor, 1, size - 1) == b"\n"
            data = (b"" if is_whole else b"\n") + text + b"\n"
            try:
                if os.write(descriptor, data) != len(data):
                    raise OSError(28, "No space left on device")
            except OSError:
                os.ftruncate(descriptor, size)
                raise
        finally:
            os.close(descriptor)

    def _write_head(self, head: Head) -> None:
        """Write the head; failing is no error, since an entry that the head does not name yet is believed."""
        path = self._path(_HEAD)
        with contextlib.suppress(OSError):
            flags = os.O_WRONLY | os.O_CREAT | os.O_TRUNC | getattr(os, "O_NOFOLLOW", 0)
            with open(os.open(f"{path}.new", flags, 0o600), "w", encoding="ascii") as file:
                json.dump(head._asdict(), file)
            os.replace(f"{path}.new", path)

    def _names(self) -> list[tuple[int, str]]:
        """The files of the record with the number of their first entry, the oldest first."""
        try:
            names = os.listdir(self.folder)
        except FileNotFoundError:
            return []
        return sorted((int(m[1]), m[0]) for m in map(_NAME.fullmatch, names) if m)

    def _read(self, name: str, limit: int) -> bytes:
        descriptor = os.open(self._path(name), os.O_RDONLY | getattr(os, "O_NOFOLLOW", 0))
        with open(descriptor, "rb") as file:
            return file.read(limit)

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
