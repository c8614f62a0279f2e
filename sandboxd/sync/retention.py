"""Keeps removed and overwritten files for seven days, within size limits, in a folder of ours that no sandbox sees.

Equal content is stored once; a list records each removal. A file that does not fit is not removed at all, so that a
flood of removals cannot push out what a user wrote.
"""

from __future__ import annotations

import contextlib
import errno
import json
import os
import secrets
import stat
import time
from collections.abc import Callable, Iterable, Mapping
from typing import NamedTuple

from sandboxd.errors import SandboxdError
from sandboxd.file_lock import locked_beside
from sandboxd.files import read_start, reading, write_private
from sandboxd.sync.state import Content, Kind
from sandboxd.sync.stops import Removed

DAYS = 7
_SECONDS = DAYS * 86400
_CHUNK = 1 << 20
_OBJECTS = "objects"
_LIST = "list"
_LARGEST_LIST = 64 << 20
_LONGEST_LINE = 32 << 10
"""In bytes: a path has at most 4,000, of which JSON makes up to six each."""
_PRUNE_SECONDS = 3600


class Bounds(NamedTuple):
    """The limits; `listed` is the size of the list in bytes."""

    bytes: int = 4 << 30
    entries: int = 200_000
    listed: int = _LARGEST_LIST


class Record(NamedTuple):
    """One removal: the path, when (seconds since 1970), and the name of the file with the content.

    For a link, that file contains the target. `counts`: it is among those after which the user is asked.
    """

    path: str
    time: int
    name: str
    kind: Kind
    executable: bool
    counts: bool = False


class Retention:
    """The folder at `path`, which is created if it is missing. Several processes may use it.

    :param clock: returns seconds since 1970
    :raises OSError: it cannot be created
    :raises EnvironmentFailure: its list cannot be written
    """

    def __init__(
        self, path: str, clock: Callable[[], float] = time.time, bounds: Bounds | None = None
    ) -> None:
        self._path, self._clock, self._bounds = path, clock, bounds or Bounds()
        self._objects = os.path.join(path, _OBJECTS)
        self._bytes = self._entries = self._listed_bytes = 0
        self._pruned_at = 0
        os.makedirs(self._objects, mode=0o700, exist_ok=True)
        self.prune()

    def has_room(self, size: int) -> bool:
        """Whether a file of `size` bytes fits."""
        if self._fits(size):
            return True
        if abs(self._now() - self._pruned_at) < _PRUNE_SECONDS:
            return False
        with contextlib.suppress(OSError, SandboxdError):
            self.prune()
        return self._fits(size)

    def prune(self) -> None:
        """Delete what is older than seven days, and lines of the list whose file no longer exists.

        :raises OSError: something cannot be deleted
        :raises EnvironmentFailure: the list cannot be written
        """
        # A line whose file is on its way is none that has lost it.
        with self._locked():
            self._prune()

    def _prune(self) -> None:
        now = self._pruned_at = self._now()
        data = self._read_list()
        times: dict[str, int] = {}
        for record in (records := _records(data)):
            times[record.name] = max(record.time, times.get(record.name, 0))
        sizes = self._remove_old(now - _SECONDS, times)
        # A clock that was ahead for a while must not have anything stay for years.
        lines = b"".join(
            _line(record._replace(time=min(record.time, now)))
            for record in records
            if record.time >= now - _SECONDS and record.name in sizes
        )
        if lines != data:
            write_private(self._list, lines)
        self._bytes, self._listed_bytes = sum(sizes.values()), len(lines)
        self._entries = max(len(sizes), lines.count(b"\n"))

    def records(self) -> tuple[Record, ...]:
        """All removals, oldest first."""
        return tuple(r for r in _records(self._read_list()) if os.path.lexists(self._file(r.name)))

    def removed(self) -> Removed:
        """The files that count, the first content of each path; links do not."""
        counted = (each for each in _records(self._read_list()) if each.counts)
        files = [each for each in counted if each.kind is Kind.FILE]
        return {each.path: each.name for each in reversed(files)}

    def agree(self) -> None:
        """Count none of the present ones any more.

        :raises EnvironmentFailure: the list cannot be written
        """
        with self._locked():
            data = self._read_list()
            lines = b"".join(_line(record._replace(counts=False)) for record in _records(data))
            if lines != data:
                write_private(self._list, lines)
                self._listed_bytes = len(lines)

    def file(self, record: Record) -> str:
        """The path of the file with the content."""
        return self._file(record.name)

    def put(
        self, folder: int, name: str, path: str, content: Content | None, *, counts: bool = False
    ) -> None:
        """Move the file or link `name` out of the open `folder` into the retention folder.

        :param path: where it was, for the list
        :param content: its content, if it is known; else None
        :param counts: see `Record`
        :raises OSError: it cannot be moved; then it is where it was
        :raises EnvironmentFailure: the folder cannot be locked
        """
        with self._locked():
            self._put(folder, name, path, content, counts)

    def _put(
        self, folder: int, name: str, path: str, content: Content | None, counts: bool
    ) -> None:
        status = os.lstat(name, dir_fd=folder)
        is_link = stat.S_ISLNK(status.st_mode)
        is_known = content is not None and content.kind is Kind.FILE and not is_link
        object_name = secrets.token_hex(16)
        # A file that was edited within a tick of the clock can have another content than is known.
        if content is not None and is_known and self._holds_no_other(content.text, folder, name):
            object_name = content.text
        executable = not is_link and bool(status.st_mode & stat.S_IXUSR)
        kind = Kind.LINK if is_link else Kind.FILE
        # Listed first: a line without a file is passed over, a file without a line is not found again.
        self._append(_line(Record(path, self._now(), object_name, kind, executable, counts)))
        is_new = not os.path.lexists(self._file(object_name))
        if is_link:
            self._write(object_name, os.fsencode(os.readlink(name, dir_fd=folder)))
            os.unlink(name, dir_fd=folder)
        else:
            self._move(folder, name, object_name, status)
        self._bytes += status.st_size if is_new else 0
        self._entries += 1

    def add(self, path: str, chunks: Iterable[bytes], kind: Kind = Kind.FILE) -> None:
        """Keep the content of a file, or the target of a link, that is not on this machine.

        :param path: where it was, for the list
        :param kind: which of both it is
        :raises OSError: it cannot be kept
        :raises EnvironmentFailure: the folder cannot be locked
        """
        name = secrets.token_hex(16)
        size = 0
        with open(self._file(name), "xb") as file:
            for chunk in chunks:
                size += len(chunk)
                file.write(chunk)
            file.flush()
            os.fsync(file.fileno())
        # Listed last, as nobody else waits for a slow reader, and the original is still where it was.
        with self._locked():
            self._append(_line(Record(path, self._now(), name, kind, False)))
        self._bytes += size
        self._entries += 1

    def _locked(self) -> contextlib.AbstractContextManager[None]:
        return locked_beside(self._list)

    def _now(self) -> int:
        return int(self._clock())

    def _fits(self, size: int) -> bool:
        return (
            self._bytes + size <= self._bounds.bytes
            and self._entries < self._bounds.entries
            and self._listed_bytes + _LONGEST_LINE <= self._bounds.listed
        )

    def _holds_no_other(self, object_name: str, folder: int, name: str) -> bool:
        """Whether nothing is kept by this name, or what the file `name` has; False where that cannot be read."""
        if not os.path.lexists(self._file(object_name)):
            return True
        flags = os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC
        try:
            with (
                reading(os.open(self._file(object_name), flags)) as old,
                reading(os.open(name, flags, dir_fd=folder)) as new,
            ):
                while (part := old.read(_CHUNK)) == new.read(_CHUNK):
                    if not part:
                        return True
        except OSError:
            pass
        return False

    def _move(self, folder: int, name: str, new: str, status: os.stat_result) -> None:
        if status.st_nlink > 1:
            # Its other names are other files of the user's, which may be written to.
            self._copy(folder, name, new)
            return
        target = os.open(self._objects, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
        try:
            os.rename(name, new, src_dir_fd=folder, dst_dir_fd=target)
        except OSError as error:
            if error.errno != errno.EXDEV:
                raise
            self._copy(folder, name, new)
        finally:
            os.close(target)

    def _copy(self, folder: int, name: str, new: str) -> None:
        """Where it is of another file system, or has a second name."""
        temporary = f"{self._file(new)}.{secrets.token_hex(4)}.tmp"
        source = os.open(name, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK, dir_fd=folder)
        try:
            with open(source, "rb", closefd=False) as reader, open(temporary, "xb") as writer:
                while chunk := reader.read(_CHUNK):
                    writer.write(chunk)
                writer.flush()
                os.fsync(writer.fileno())
            os.rename(temporary, self._file(new))
        except BaseException:
            with contextlib.suppress(OSError):
                os.unlink(temporary)
            raise
        finally:
            os.close(source)
        os.unlink(name, dir_fd=folder)

    def _write(self, name: str, data: bytes) -> None:
        with open(self._file(name), "xb") as file:
            file.write(data)

    def _file(self, name: str) -> str:
        return os.path.join(self._objects, os.path.basename(name))

    @property
    def _list(self) -> str:
        return os.path.join(self._path, _LIST)

    def _append(self, line: bytes) -> None:
        flags = os.O_WRONLY | os.O_APPEND | os.O_CREAT | os.O_NOFOLLOW | os.O_CLOEXEC
        with open(os.open(self._list, flags, 0o600), "ab") as file:
            file.write(line)
        self._listed_bytes += len(line)

    def _read_list(self) -> bytes:
        with contextlib.suppress(SandboxdError):
            return read_start(self._list, _LARGEST_LIST)
        return b""

    def _remove_old(self, since: int, times: Mapping[str, int]) -> dict[str, int]:
        """Remove the files that came before `since`; returns the sizes of the others by their names.

        :param times: when each came; of others the entry says it, and not the content, which may be years old
        """
        sizes: dict[str, int] = {}
        with os.scandir(self._objects) as entries:
            for entry in entries:
                status = entry.stat(follow_symlinks=False)
                is_old = times.get(entry.name, status.st_ctime) < since
                if is_old or entry.name.endswith(".tmp"):
                    os.unlink(entry.path)
                else:
                    sizes[entry.name] = status.st_size
        return sizes


def _line(record: Record) -> bytes:
    values = [*record[:3], record.kind.value, record.executable, record.counts]
    return json.dumps(values).encode("ascii") + b"\n"


def _records(data: bytes) -> list[Record]:
    return [r for line in data.splitlines() if (r := _record(line)) is not None]


def _record(line: bytes) -> Record | None:
    try:
        path, time, name, kind, executable, *counts = json.loads(line)
        is_counted = counts == [True]
        return Record(str(path), int(time), str(name), Kind(kind), bool(executable), is_counted)
    except (ValueError, TypeError, RecursionError):
        return None
