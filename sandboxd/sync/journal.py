"""The common state of both sides on disk, in a file of ours that no sandbox sees.

The first line names the two folders; each further one is a change of a path. Every line has a checksum, so that a line
which a crash left incomplete ends the file. If the file cannot be read, there is no common state: then both sides are
compared as at first, which removes nothing. Several processes may use it, one at a time: see `Journal.turn`.
"""

from __future__ import annotations

import contextlib
import json
import os
import zlib
from collections.abc import Iterable, Iterator, Mapping
from contextlib import AbstractContextManager

from sandboxd.errors import EnvironmentFailure, SandboxdError
from sandboxd.file_lock import locked_beside
from sandboxd.files import read_bytes, write_private
from sandboxd.sync.checked import is_path
from sandboxd.sync.news import Differences
from sandboxd.sync.state import Content, Kind, Root, Snapshot
from sandboxd.sync.stops import Roots

_VERSION = 1
_LARGEST = 512 << 20
_SPARE = 10_000
"""The file is rewritten when it has so many lines that no longer apply."""
_KINDS = {kind.value: kind for kind in Kind}


TURN_SECONDS = 120.0
"""How long a command waits for a comparison of both sides; the first one of a large folder takes tens of seconds."""


def turn_of(path: str) -> AbstractContextManager[None]:
    """As `Journal.turn`, for whoever reads no common state and writes where both sides are compared.

    :param path: the journal's
    :raises EnvironmentFailure: the lock cannot be had in `TURN_SECONDS`
    """
    return locked_beside(path, seconds=TURN_SECONDS)


class Journal:
    """The common state in the file at `path`; without a file, `agreed` is empty and `roots` is None."""

    def __init__(self, path: str) -> None:
        self._path = path
        self.agreed: dict[str, Content] = {}
        self.roots: Roots | None = None
        self._differences = (Differences(), Differences())
        self._load()

    def differences(self, host: Snapshot, inside: Snapshot) -> set[str]:
        """The paths at which a side has something else than the common content."""
        of_host, of_inside = self._differences
        return {*of_host.of(host, self.agreed), *of_inside.of(inside, self.agreed)}

    @contextlib.contextmanager
    def turn(self) -> Iterator[None]:
        """Keep other processes from both sides while the block runs, and read what they recorded before.

        :raises EnvironmentFailure: the lock cannot be had
        """
        with locked_beside(self._path):
            if self._file_state() != self._state:
                self._load()
            yield

    def update(self, changes: Mapping[str, Content | None], roots: Roots) -> None:
        """Record the new common content of the paths in `changes` (None: none), and flush it to disk.

        :raises EnvironmentFailure: it cannot be written
        :raises OSError: its folder cannot be created
        """
        for each in self._differences:
            each.note(changes)
        for path, content in changes.items():
            if content is None:
                self.agreed.pop(path, None)
            else:
                self.agreed[path] = content
        if not self._is_whole or roots != self.roots or self._lines > 2 * len(self.agreed) + _SPARE:
            self._write(roots)
        elif changes:
            self._append(changes)
        self._state = self._file_state()

    def forget(self) -> None:
        """Forget the whole common state: both sides are then compared as at first, which removes nothing.

        :raises OSError: the file cannot be removed
        """
        with contextlib.suppress(FileNotFoundError):
            os.unlink(self._path)
        self.agreed, self.roots, self._lines, self._is_whole = {}, None, 0, False
        for each in self._differences:
            each.forget()
        self._state = self._file_state()

    def _load(self) -> None:
        """Read the file anew. What is appended meanwhile is seen by the next `turn`."""
        self.agreed, self.roots, self._lines = {}, None, 0
        for each in self._differences:
            each.forget()
        self._state = self._file_state()
        self._is_whole = self._read()

    def _file_state(self) -> tuple[int, ...] | None:
        """What every change of the file changes; None if there is no file."""
        try:
            status = os.lstat(self._path)
        except OSError:
            return None
        return status.st_ino, status.st_size, status.st_mtime_ns, status.st_ctime_ns

    def _read(self) -> bool:
        """Read the file; whether a line can be added to it."""
        try:
            data = read_bytes(self._path, _LARGEST)
        except (SandboxdError, OSError):
            return False
        lines = iter(data.split(b"\n"))
        roots = _roots(_value(next(lines)))
        if roots is None:
            return False
        self.roots = roots
        for line in lines:
            if not line:
                # The last one ends with a newline, and no other is empty.
                return next(lines, None) is None
            change = _change(_value(line))
            if change is None:
                return False
            self._lines += 1
            path, content = change
            if content is None:
                self.agreed.pop(path, None)
            else:
                self.agreed[path] = content
        return False

    def _append(self, changes: Mapping[str, Content | None]) -> None:
        self._is_whole = False
        flags = os.O_WRONLY | os.O_APPEND | os.O_NOFOLLOW | os.O_CLOEXEC
        try:
            with open(os.open(self._path, flags), "ab") as file:
                file.write(b"".join(_lines(changes.items())))
                file.flush()
                os.fsync(file.fileno())
        except OSError as error:
            raise EnvironmentFailure(
                f"cannot write `{self._path}`: {(error.strerror or str(error)).lower()}",
                "free some space or correct the permissions, then run the command again",
            ) from None
        self._is_whole = True
        self._lines += len(changes)

    def _write(self, roots: Roots) -> None:
        header = {"version": _VERSION, "host": roots.host, "inside": roots.inside}
        data = b"".join((_line(header), *_lines(self.agreed.items())))
        write_private(self._path, data)
        self.roots, self._lines, self._is_whole = roots, len(self.agreed), True


def _lines(changes: Iterable[tuple[str, Content | None]]) -> Iterator[bytes]:
    for path, content in changes:
        yield _line([path] if content is None else [path, content.kind.value, *content[1:]])


def _line(value: object) -> bytes:
    text = json.dumps(value).encode("ascii")
    return b"%08x %s\n" % (zlib.crc32(text), text)


def _value(line: bytes) -> object:
    """What a line says, None for one that is not whole."""
    total, _, text = line.partition(b" ")
    if total != b"%08x" % zlib.crc32(text):
        return None
    try:
        # Of bytes, each line would be looked through for its encoding first.
        value: object = json.loads(text.decode("ascii"))
    except (ValueError, RecursionError):
        return None
    return value


def _roots(header: object) -> Roots | None:
    match header:
        case {
            "version": 1,
            "host": [int(host_device), int(host_inode)],
            "inside": [int(device), int(inode)],
        }:
            return Roots(Root(host_device, host_inode), Root(device, inode))
    return None


def _change(value: object) -> tuple[str, Content | None] | None:
    match value:
        case [str(path)] if is_path(path):
            return path, None
        case [str(path), ("file" | "folder" | "link") as kind, str(text), bool(executable)] if (
            is_path(path)
        ):
            return path, Content(_KINDS[kind], text, executable)
    return None
