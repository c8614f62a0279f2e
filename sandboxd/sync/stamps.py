"""What a side's files held at an earlier look, by their inodes and times: a later start reads those alone that changed.

A file of ours beside the journal, one for each side, that no sandbox sees. It holds for one folder between two starts of
the machine: after a power cut a file may have the time of bytes that never were on the disk. Without it, or where it is
damaged, every file is read.
"""

from __future__ import annotations

import contextlib
import json
import os
import struct
import zlib
from collections.abc import Callable, Iterable, Mapping

from sandboxd.errors import SandboxdError
from sandboxd.files import read_bytes, write_private
from sandboxd.sync.state import Content, Entry, Kind, Root, is_settled

_VERSION = 1
_LARGEST = 512 << 20
_LEAST_WORK = 20
_SHARE = 20
"""The file is written anew when reading what it lacks costs more than such a part of reading all."""
_PIECE = 1 << 16
"""Reading so many bytes costs as much as opening a file."""
_RECORD = struct.Struct(">IQqqQ32s")
_EXECUTABLE = 0o100

Stamp = tuple[int, int, int, int, int, bytes]
"""Mode, size, ctime, mtime and inode of a file, and the SHA-256 of what it held then."""


class Stamps:
    """The stamps of one side in the file at `path`."""

    def __init__(self, path: str) -> None:
        self._path = path
        self._folder = ""

    def load(self, root: Root, reported: Root, boot: bytes) -> dict[str, Stamp]:
        """The stamps by path; {} where there are none of this folder and this start of its machine.

        :param root: the folder, see `state.Root`
        :param reported: its device and inode as whoever reads it says
        :param boot: the start of the machine that it is on; b"" where that is not known
        """
        self._folder = f"{[*root, *reported]} {boot.hex()}" if boot else ""
        if not self._folder:
            return {}
        try:
            data = read_bytes(self._path, _LARGEST)
        except (SandboxdError, OSError):
            return {}
        return _stamps_of(data, self._folder)

    def save(self, stamps: Mapping[str, Stamp]) -> None:
        """Replace the stamps of the folder of the last `load`; where that cannot be done, the old ones stay."""
        if self._folder:
            with contextlib.suppress(SandboxdError, OSError):
                # It ends with this start of the machine, so nobody waits for the disk.
                write_private(self._path, _data_of(stamps, self._folder), synced=False)


class Work:
    """How much was read, or written, that no stamp on the disk tells.

    :ivar cost: in files, of which a large one counts as many
    """

    def __init__(self) -> None:
        self.cost = 0

    def note(self, size: int) -> None:
        """Note that a file of `size` bytes was read, or written."""
        self.cost += 1 + size // _PIECE

    def is_worth_saving(self, total: int) -> bool:
        """Whether a start that reads as much would take long enough.

        :param total: the number of entries
        """
        return self.cost > max(_LEAST_WORK, total // _SHARE)


def of_entries(
    entries: Iterable[tuple[str, Entry]], began: Callable[[str], int]
) -> dict[str, Stamp]:
    """The stamps of the files whose every later change changes their times.

    :param began: returns when the last look at the folder of a path began, in nanoseconds since 1970
    """
    return {
        path: (entry.mode, entry.size, entry.ctime, entry.mtime, entry.inode, bytes.fromhex(text))
        for path, entry in entries
        for kind, text, _ in (entry.content,)
        if kind is Kind.FILE and is_settled(entry, began(path))
    }


def entry_of(stamp: Stamp, status: tuple[int, ...]) -> Entry | None:
    """What a file holds that has `status` now; None where its stamp does not tell.

    :param status: mode, size, ctime, mtime and inode
    """
    if stamp[:5] != status:
        return None
    mode, size, ctime, mtime, inode, digest = stamp
    content = Content(Kind.FILE, digest.hex(), bool(mode & _EXECUTABLE))
    return Entry(content, mode, size, ctime, mtime, inode)


def _data_of(stamps: Mapping[str, Stamp], folder: str) -> bytes:
    names = b"\0".join(map(os.fsencode, stamps))
    body = names + b"".join(_RECORD.pack(*stamp) for stamp in stamps.values())
    return _head(folder, len(names), body) + body


def _stamps_of(data: bytes, folder: str) -> dict[str, Stamp]:
    head, _, body = data.partition(b"\n")
    try:
        size = json.loads(head)["names"]
    except (ValueError, KeyError, TypeError, RecursionError):
        return {}
    if not isinstance(size, int) or not size or head + b"\n" != _head(folder, size, body):
        return {}
    names = map(os.fsdecode, body[:size].split(b"\0"))
    return dict(zip(names, _RECORD.iter_unpack(memoryview(body)[size:]), strict=True))


def _head(folder: str, size: int, body: bytes) -> bytes:
    """The first line, by which the rest is known to be whole and of `folder`.

    :param size: of the names at the beginning of `body`, in bytes
    """
    value = {"version": _VERSION, "folder": folder, "names": size, "sum": zlib.crc32(body)}
    return json.dumps(value).encode("ascii") + b"\n"
