"""Finds hidden files whose content git has stored, where it can be read inside: committed, staged or stashed once.

No git runs. Only the content that a file has now is looked for, as its object, in loose objects and the indexes of packs
(gitformat-pack(5)) of the workspace's own repository.
"""

from __future__ import annotations

import hashlib
import os
import stat
import struct
from typing import TYPE_CHECKING, NamedTuple

from sandboxd.deadline import looks_within
from sandboxd.errors import SandboxdError
from sandboxd.files import reading
from sandboxd.plan import beneath
from sandboxd.plan.gitlinks import index_of, is_sha256

if TYPE_CHECKING:
    from collections.abc import Iterable

SECONDS = 2.0
"""The longest time for the search."""
_LARGEST = 1 << 20
_LARGEST_PACK_INDEX = 1 << 30
_FANOUT = struct.Struct(">256I")
_HEADER = b"\xfftOc\x00\x00\x00\x02"


class Stored(NamedTuple):
    """Hidden files whose content is in git's objects; `is_complete` is whether all could be looked for in time."""

    paths: tuple[str, ...]
    is_complete: bool


def stored(workspace: str, hidden: Iterable[str]) -> Stored:
    """Which of the files `hidden` of `workspace` have the content that they have now in git's objects, too."""
    index = index_of(workspace)
    objects = os.path.join(index.common, "objects")
    if not os.path.isdir(objects):
        return Stored((), True)
    try:
        sha256 = is_sha256(index.common)
        packs = [_Pack(path, sha256) for path in _pack_indexes(objects)]
    except (OSError, ValueError):
        return Stored((), False)
    in_objects, is_complete = [], True
    for path, left in zip(hidden, looks_within(SECONDS), strict=False):
        if not left:
            is_complete = False
            break
        try:
            oid = _oid(workspace, path, sha256)
            if oid and (_is_loose(objects, oid) or any(pack.has(oid) for pack in packs)):
                in_objects.append(path)
        except (OSError, ValueError, struct.error):
            is_complete = False
    return Stored(tuple(in_objects), is_complete)


def _oid(workspace: str, path: str, sha256: bool) -> bytes:
    """The id of the object with the content of a file; b"" for no file, and for a large one."""
    flags = os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC
    try:
        with (
            beneath.open_folder(workspace) as root,
            beneath.parent_of(root, path, create=False) as folder,
        ):
            name = os.path.basename(path)
            if not stat.S_ISREG(os.lstat(name, dir_fd=folder).st_mode):
                return b""
            with reading(os.open(name, flags, dir_fd=folder)) as file:
                data = file.read(_LARGEST + 1)
    except SandboxdError as error:
        raise OSError(error.message) from None
    if not data or len(data) > _LARGEST:
        return b""
    text = b"blob %d\0" % len(data) + data
    return hashlib.sha256(text).digest() if sha256 else hashlib.sha1(text).digest()  # noqa: S324


def _is_loose(objects: str, oid: bytes) -> bool:
    name = oid.hex()
    return os.path.lexists(os.path.join(objects, name[:2], name[2:]))


def _pack_indexes(objects: str) -> list[str]:
    folder = os.path.join(objects, "pack")
    if not os.path.isdir(folder):
        return []
    return [
        os.path.join(folder, name) for name in sorted(os.listdir(folder)) if name.endswith(".idx")
    ]


class _Pack:
    """The index of a pack, of version 2: 256 counts by the first byte of an id, then all ids in order."""

    def __init__(self, path: str, sha256: bool) -> None:
        self._path, self._size = path, 32 if sha256 else 20

    def has(self, oid: bytes) -> bool:
        """:raises OSError, ValueError, struct.error: the index cannot be read"""
        flags = os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC
        with reading(os.open(self._path, flags)) as file:
            head = file.read(len(_HEADER) + _FANOUT.size)
            if not head.startswith(_HEADER):
                raise ValueError("an index of another version")
            counts = _FANOUT.unpack_from(head, len(_HEADER))
            low, high = (counts[oid[0] - 1] if oid[0] else 0), counts[oid[0]]
            if high < low or high * self._size > _LARGEST_PACK_INDEX:
                raise ValueError("an index that cannot be")
            while low < high:
                middle = (low + high) // 2
                file.seek(len(head) + middle * self._size)
                here = file.read(self._size)
                if here == oid:
                    return True
                low, high = (middle + 1, high) if here < oid else (low, middle)
        return False
