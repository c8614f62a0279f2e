"""Reads git's index without git (gitformat-index(5)): a digest of its entries, and a copy for another git directory.

The digest leaves out the status of files that git caches, which `git status` may rewrite at any time.
"""

from __future__ import annotations

import contextlib
import hashlib
import os
import stat
import struct
from typing import NamedTuple

from sandboxd.errors import SandboxdError
from sandboxd.files import reading
from sandboxd.plan import beneath
from sandboxd.syntax import git_index

LARGEST = 512 << 20
_INTENT_TO_ADD = 0x20
_STAGE = 0x3000
EMPTY = hashlib.sha256(b"").hexdigest()
"""The digest of an index without entries, and of none."""


class Index(NamedTuple):
    """An index file: its bytes, the digest of its entries, and the offset at which they end.

    `times` are the access and modification time of the file in nanoseconds.
    """

    data: bytes
    digest: str
    end: int
    times: tuple[int, int]


class BadIndex(ValueError):
    """The bytes are no index, or a split index, which keeps its entries in another file."""


def digest_in(folder: str, sha256: bool, largest: int = LARGEST) -> str | None:
    """The digest of the index in the git directory `folder`: `EMPTY` where there is none, None where it is not valid.

    :param sha256: whether the repository's object ids are SHA-256
    :param largest: size limit in bytes; a larger index counts as not valid
    """
    try:
        index = read(folder, sha256, largest)
    except (BadIndex, OSError, SandboxdError):
        return None
    return EMPTY if index is None else index.digest


def read(folder: str, sha256: bool, largest: int = LARGEST) -> Index | None:
    """The index in the git directory `folder`, None where there is none.

    :raises BadIndex: it is none, or a split one, or too large
    :raises OSError: it cannot be read
    """
    flags = os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC
    with beneath.open_folder(folder) as root:
        try:
            descriptor = os.open("index", flags, dir_fd=root)
        except FileNotFoundError:
            return None
    with reading(descriptor) as file:
        status = os.fstat(descriptor)
        if not stat.S_ISREG(status.st_mode) or status.st_size > largest:
            raise BadIndex("it is no regular file, or too large")
        data = file.read(status.st_size)
    digest, end = digest_of(data, sha256)
    return Index(data, digest, end, (status.st_atime_ns, status.st_mtime_ns))


def digest_of(data: bytes, sha256: bool) -> tuple[str, int]:
    """The digest of the entries of an index, and the offset at which they end.

    :raises BadIndex: it is none, or a split one
    """
    try:
        magic, version, count = git_index.HEADER.unpack_from(data)
    except struct.error:
        raise BadIndex("it is too short") from None
    if magic != b"DIRC" or version not in (2, 3, 4) or count > git_index.MOST_ENTRIES:
        raise BadIndex("it has another form")
    try:
        digest, end = _entries(data, version, count, sha256)
    except (IndexError, ValueError, struct.error):
        raise BadIndex("it ends too early") from None
    if any(name == b"link" for name, _ in extensions(data, end, sha256)):
        raise BadIndex("its entries are in another file")
    return digest, end


def _entries(data: bytes, version: int, count: int, sha256: bool) -> tuple[str, int]:
    total = hashlib.sha256()
    at = git_index.HEADER.size
    for mode, oid, flags, further, name, end in git_index.entries(data, version, count, sha256):
        # What a sparse checkout leaves out is as it is in the tree.
        new = b"new" if further & _INTENT_TO_ADD else b""
        total.update(b"%b%b%d %b%b\0" % (mode, oid, flags & _STAGE, new, name))
        at = end
    return total.hexdigest(), at


def extensions(data: bytes, at: int, sha256: bool) -> list[tuple[bytes, bytes]]:
    """The extensions of an index that begin at offset `at`: name, and bytes including the header of 8 bytes.

    :param at: where the entries end, as `digest_of` returns it
    :raises BadIndex: one reaches beyond the end of the data
    """
    parts: list[tuple[bytes, bytes]] = []
    last = len(data) - (32 if sha256 else 20)
    while at + 8 <= last:
        name, size = data[at : at + 4], int.from_bytes(data[at + 4 : at + 8], "big")
        if at + 8 + size > last:
            raise BadIndex("an extension ends too late")
        parts.append((name, data[at : at + 8 + size]))
        at += 8 + size
    return parts


def portable(index: Index, sha256: bool) -> bytes:
    """The bytes of the index for another git directory, without extensions that cache the state of this file system."""
    body = bytearray(index.data[: index.end])
    for name, data in extensions(index.data, index.end, sha256):
        if name in (b"TREE", b"REUC", b"sdir"):
            body += data
    digest_type = hashlib.sha256 if sha256 else hashlib.sha1
    return bytes(body) + digest_type(body, usedforsecurity=False).digest()


def of_tree(listing: bytes) -> str:
    """The digest that an index has whose entries equal a tree.

    :param listing: the output of `git ls-tree -r -z --full-tree` for that tree
    """
    total = hashlib.sha256()
    for line in listing.split(b"\0"):
        head, tab, name = line.partition(b"\t")
        if tab:
            mode, _, oid = head.split(b" ")
            with contextlib.suppress(ValueError):
                number = int(mode, 8).to_bytes(4, "big")
                total.update(b"%b%b0 %b\0" % (number, bytes.fromhex(oid.decode()), name))
    return total.hexdigest()
