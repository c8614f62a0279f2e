"""The entries of git's index (gitformat-index(5)), which names the files and repositories of a work tree. Pure."""

from __future__ import annotations

import struct
from collections.abc import Iterator
from typing import NamedTuple

MOST_ENTRIES = 5_000_000
HEADER = struct.Struct(">4sII")
_LARGEST_NUMBER = 512 << 20
_FEW_NAMES = 16 << 20
_NAMES_PER_BYTE = 4
"""The decoded names of an index of version 4 may have `_FEW_NAMES` bytes, and so many more for each byte of the file.

In such an index each name shares its beginning with the one before, so that 64 MiB could decode to terabytes. Git
writes about 70 bytes for an entry, so names may have 280 bytes on average.
"""
_STATUS = 40
_EXTENDED = 0x4000
_NAME_LENGTH = 0x0FFF
_GITLINK = b"\x00\x00\xe0\x00"


class Entry(NamedTuple):
    """One entry: `mode` and `oid` as in the file, `further` its extended flags (0 for none), `end` the offset behind
    it.
    """

    mode: bytes
    oid: bytes
    flags: int
    further: int
    name: bytes
    end: int


def gitlinks(data: bytes, sha256: bool) -> tuple[str, ...]:
    """The paths at which an index refers to other repositories, such as submodules.

    :raises ValueError: it is not a valid index, or takes such a path from a shared index
    """
    if _GITLINK not in data:
        # Most have none, and each entry costs time.
        return ()
    names = [entry.name for entry in _all(data, sha256) if entry.mode == _GITLINK]
    if b"" in names:
        raise ValueError("a path is in the index that it shares")
    return tuple(dict.fromkeys(name.decode("utf-8", "surrogateescape") for name in names))


def names(data: bytes, sha256: bool) -> set[bytes]:
    """The paths in an index, without those that it takes from a shared one.

    :raises ValueError: it is not a valid index
    """
    return {entry.name for entry in _all(data, sha256)} - {b""}


def object_of(data: bytes, sha256: bool, path: bytes) -> bytes:
    """The object id of the file `path`; b'' if the index has none, or more than one version as in a merge.

    :raises ValueError: it is not a valid index
    """
    ids = [entry.oid for entry in _all(data, sha256) if entry.name == path]
    return ids[0] if len(ids) == 1 else b""


def shared_index(data: bytes, sha256: bool) -> str:
    """The name of the file in the git directory that has the other entries of a split index; '' if the index is
    complete.

    :raises ValueError: it is not a valid index
    """
    size = 32 if sha256 else 20
    at = max((entry.end for entry in _all(data, sha256)), default=HEADER.size)
    while at + 8 <= len(data) - size:
        length = int.from_bytes(data[at + 4 : at + 8], "big")
        oid = data[at + 8 : at + 8 + size]
        if data[at : at + 4] == b"link" and length >= size and any(oid):
            return f"sharedindex.{oid.hex()}"
        at += 8 + length
    return ""


def _all(data: bytes, sha256: bool) -> Iterator[Entry]:
    """:raises ValueError: it is no index"""
    try:
        magic, version, count = HEADER.unpack_from(data)
        if magic != b"DIRC" or version not in (2, 3, 4) or count > MOST_ENTRIES:
            raise ValueError("it has another form")
        yield from entries(data, version, count, sha256)
    except (IndexError, struct.error):
        raise ValueError("it ends too early") from None


def entries(data: bytes, version: int, count: int, sha256: bool) -> Iterator[Entry]:
    """Yield the first `count` entries.

    :raises IndexError: the data is truncated
    :raises ValueError: the data is truncated, a number in it is too large, or its names are too long in all
    """
    size = 32 if sha256 else 20
    at = HEADER.size
    last = len(data)
    most_names = _FEW_NAMES + _NAMES_PER_BYTE * last
    name = b""
    for _ in range(count):
        flags_at = at + _STATUS + size
        flags = (data[flags_at] << 8) | data[flags_at + 1]
        name_at = flags_at + 2
        further = 0
        if flags & _EXTENDED:
            further = data[name_at]
            name_at += 2
        if version == 4:
            cut, name_at = _number(data, name_at)
            end = data.index(b"\0", name_at)
            length = len(name) - cut + end - name_at
            most_names -= length
            # Before the name is made.
            if cut > len(name) or most_names < 0:
                raise ValueError
            name = name[: len(name) - cut] + data[name_at:end]
            following = end + 1
        else:
            length = flags & _NAME_LENGTH
            end = name_at + length
            if length == _NAME_LENGTH or end >= last or data[end]:
                end = data.index(b"\0", name_at)
            name = data[name_at:end]
            following = at + ((end - at + 8) & ~7)
        if following > last:
            raise ValueError
        mode = data[at + 24 : at + 28]
        yield Entry(mode, data[at + _STATUS : flags_at], flags, further, name, following)
        at = following


def _number(data: bytes, at: int) -> tuple[int, int]:
    """A number of variable width, as in packs: it, and where it ends."""
    byte = data[at]
    value = byte & 127
    while byte & 128:
        at += 1
        byte = data[at]
        value = ((value + 1) << 7) | (byte & 127)
        if value > _LARGEST_NUMBER:
            raise ValueError
    return value, at + 1
