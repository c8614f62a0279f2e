"""What was removed or overwritten, in a folder of ours that no sandbox sees: for seven days, and never more than fits.

Content is there once, however often it was removed; a list says of what each was. What does not fit is not removed at
all: nothing that came later pushes out what a user wrote.
"""

from __future__ import annotations

import contextlib
import errno
import json
import os
import secrets
import stat
from typing import NamedTuple

from sandboxd.errors import SandboxdError
from sandboxd.files import read_start
from sandboxd.sync.state import Content, Kind

DAYS = 7
_SECONDS = DAYS * 86400
_CHUNK = 1 << 20
_OBJECTS = "objects"
_LIST = "list"
_LARGEST_LIST = 64 << 20


class Bounds(NamedTuple):
    """The most that is there at one time."""

    bytes: int = 4 << 30
    entries: int = 200_000


class Record(NamedTuple):
    """One thing that was removed: the path that it had, when (seconds since 1970), and the file that has it now.

    Of a link that file holds the target.
    """

    path: str
    time: int
    name: str
    kind: Kind
    executable: bool


class Retention:
    """The folder at `path`, made where it is missing.

    :raises OSError: it cannot be made
    """

    def __init__(self, path: str, now: int, bounds: Bounds | None = None) -> None:
        self._path, self._now, self._bounds = path, now, bounds or Bounds()
        self._objects = os.path.join(path, _OBJECTS)
        os.makedirs(self._objects, mode=0o700, exist_ok=True)
        self._bytes, self._entries = self._prune()

    def has_room(self, size: int) -> bool:
        """Whether a file of `size` bytes fits."""
        return self._bytes + size <= self._bounds.bytes and self._entries < self._bounds.entries

    def records(self) -> tuple[Record, ...]:
        """What is there, the oldest first."""
        return tuple(r for r in self._listed() if os.path.lexists(self._file(r.name)))

    def file(self, record: Record) -> str:
        """The path of the file that has the content."""
        return self._file(record.name)

    def put(self, folder: int, name: str, path: str, content: Content | None) -> None:
        """Take the file or link `name` out of the open `folder`; what was at `path` is nowhere else afterwards.

        :param content: what it holds, None where that is not known
        :raises OSError: it cannot be moved; then it is where it was
        """
        status = os.lstat(name, dir_fd=folder)
        is_link = stat.S_ISLNK(status.st_mode)
        is_known = content is not None and content.kind is Kind.FILE and not is_link
        object_name = content.text if content is not None and is_known else secrets.token_hex(16)
        executable = not is_link and bool(status.st_mode & stat.S_IXUSR)
        kind = Kind.LINK if is_link else Kind.FILE
        # Listed first: a line without a file is passed over, a file without a line is not found again.
        self._append(Record(path, self._now, object_name, kind, executable))
        if is_link:
            self._write(object_name, os.fsencode(os.readlink(name, dir_fd=folder)))
            os.unlink(name, dir_fd=folder)
        else:
            self._move(folder, name, object_name, status)
        os.utime(self._file(object_name), (self._now, self._now))
        self._bytes += status.st_size
        self._entries += 1

    def _move(self, folder: int, name: str, new: str, status: os.stat_result) -> None:
        if status.st_nlink > 1:
            # Its other names are other files of the user's, whose time must stay.
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

    def _append(self, record: Record) -> None:
        line = json.dumps([*record[:3], record.kind.value, record.executable]) + "\n"
        flags = os.O_WRONLY | os.O_APPEND | os.O_CREAT | os.O_NOFOLLOW | os.O_CLOEXEC
        with open(os.open(os.path.join(self._path, _LIST), flags, 0o600), "ab") as file:
            file.write(line.encode("ascii"))

    def _listed(self) -> list[Record]:
        with contextlib.suppress(SandboxdError):
            data = read_start(os.path.join(self._path, _LIST), _LARGEST_LIST)
            return [r for line in data.splitlines() if (r := _record(line)) is not None]
        return []

    def _prune(self) -> tuple[int, int]:
        """Remove what is older than seven days; returns bytes and number of what is there."""
        size = number = 0
        with os.scandir(self._objects) as entries:
            for entry in entries:
                status = entry.stat(follow_symlinks=False)
                if status.st_mtime < self._now - _SECONDS or entry.name.endswith(".tmp"):
                    os.unlink(entry.path)
                    continue
                size += status.st_size
                number += 1
        return size, number


def _record(line: bytes) -> Record | None:
    try:
        path, time, name, kind, executable = json.loads(line)
        return Record(str(path), int(time), str(name), Kind(kind), bool(executable))
    except (ValueError, TypeError, RecursionError):
        return None
