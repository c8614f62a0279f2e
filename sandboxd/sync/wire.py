"""The protocol between the reporter in a sandbox and its reader on the host: frames, and which of them are valid.

A frame is its kind (1 byte), the length of its content (4 bytes, big endian) and that. The host asks, and each question
has one answer, in the order in which they were asked: any number of frames of it, and `END` or `FILE` as the last. What
comes unasked says only that a folder is to be looked at. A file that is written is a `DO` and any number of `PART`, of
which the last is empty: that one is answered, by a `FILE`. Sent into the sandbox as it is: standard library only, for Python 3.8.
"""

from __future__ import annotations

import struct
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

VERSION = 2
TEMPORARY = ".sandboxd-sync-"
"""The prefix of our own temporary files, which are never copied."""
LONGEST_PATH = 4096
"""Bytes of a path, and of the target of a link."""
LONGEST_NAME = 255
LARGEST_PART = 60 * 1024
"""Bytes of a file in one frame."""

LOOK, HASH, READ, FORGET, DO, PART = range(1, 7)
HELLO, ENTRIES, FILE, DATA, END, CHANGED, LOST, UNWATCHED = range(16, 24)

MAKE_FOLDER, WRITE, MAKE_LINK, REMOVE, SET_MODE, RENAME, RECOVER, FLUSH, HOLD = range(1, 10)
"""What `DO` asks for. RECOVER concerns what a killed run left, FLUSH everything that was written, HOLD the other
processes of the sandbox, which are stopped."""

HELLO_HEAD = struct.Struct(">HQQ16s")
"""Version, device and inode of the folder that is reported, and which start of its machine this is, zeros for unknown."""
STATUS = struct.Struct(">IQqqQQ")
"""Mode, size, ctime, mtime (both in nanoseconds since 1970), inode and device of an entry."""
NUMBER = struct.Struct(">I")
"""The number of a question."""
SIZED = struct.Struct(">IQ")
"""The number of a question, and the most bytes that are asked for."""
END_HEAD = struct.Struct(">IHq")
"""The number of a question, the number of the error, 0 for none, and the time inside as its answer began."""
_CHANGE_HEAD = struct.Struct(">IBB32s32sH")
"""The number of a question, what to do, flags, two digests, and the bytes of the path."""
_ENTRY_HEAD = struct.Struct(">IQqqQQBH")
"""As `STATUS`, then the bytes of the name and of a link's target."""
_LONGEST_ENTRY = _ENTRY_HEAD.size + LONGEST_NAME + LONGEST_PATH
_FRAME = struct.Struct(">BI")
_DIGEST = 32
_NO_NAMES = (b"", b".", b"..")
_HAS_BEFORE, _EXECUTABLE, _DURABLE = 1, 2, 4
_CHANGE_SIZE = _CHANGE_HEAD.size + STATUS.size

QUESTIONS = {
    LOOK: (NUMBER.size, NUMBER.size + LONGEST_PATH),
    HASH: (SIZED.size + 1, SIZED.size + LONGEST_PATH),
    READ: (SIZED.size + 1, SIZED.size + LONGEST_PATH),
    FORGET: (NUMBER.size + 1, NUMBER.size + LONGEST_PATH),
    DO: (_CHANGE_SIZE, _CHANGE_SIZE + 2 * LONGEST_PATH),
    PART: (NUMBER.size, NUMBER.size + LARGEST_PART),
}
ANSWERS = {
    HELLO: (HELLO_HEAD.size, HELLO_HEAD.size),
    ENTRIES: (NUMBER.size + _ENTRY_HEAD.size + 1, NUMBER.size + LARGEST_PART + _LONGEST_ENTRY),
    FILE: (NUMBER.size + STATUS.size + _DIGEST, NUMBER.size + STATUS.size + _DIGEST),
    DATA: (NUMBER.size + 1, NUMBER.size + LARGEST_PART),
    END: (END_HEAD.size, END_HEAD.size),
    CHANGED: (0, LONGEST_PATH),
    LOST: (0, 0),
    UNWATCHED: (0, LONGEST_PATH),
}
"""The kinds that each end takes, with the least and the most bytes of their content."""


class Change(NamedTuple):
    """One change of the folder inside.

    :ivar act: MAKE_FOLDER and so on
    :ivar before: the fields of `STATUS` of what was compared at `path`; () for nothing
    :ivar before_digest: the SHA-256 of that: of a file's bytes, or of a link's target
    :ivar digest: the SHA-256 of the file that is written
    :ivar executable: whether the file becomes executable
    :ivar is_durable: whether the file is to be on the disk before the answer
    :ivar text: the target of a link, or the new name
    """

    act: int
    path: bytes = b""
    before: tuple[int, ...] = ()
    before_digest: bytes = bytes(_DIGEST)
    digest: bytes = bytes(_DIGEST)
    executable: bool = False
    is_durable: bool = False
    text: bytes = b""


class Broken(Exception):
    """The other end breaks the protocol: words that follow "it sent"."""


def pack(kind: int, *parts: bytes) -> bytes:
    """A frame of `parts`, one behind the other."""
    content = b"".join(parts)
    return _FRAME.pack(kind, len(content)) + content


def pack_entry(status: tuple[int, ...], name: bytes, target: bytes = b"") -> bytes:
    """An entry of a folder with the fields of `STATUS`; of a link with its target."""
    return _ENTRY_HEAD.pack(*status, len(name), len(target)) + name + target


def pack_entries(number: int, entries: Iterable[bytes]) -> Iterator[bytes]:
    """Frames of entries of the folder that question `number` is about."""
    head, size = NUMBER.pack(number), 0
    waiting: list[bytes] = []
    for entry in entries:
        waiting.append(entry)
        size += len(entry)
        if size >= LARGEST_PART:
            yield pack(ENTRIES, head, *waiting)
            waiting, size = [], 0
    if waiting:
        yield pack(ENTRIES, head, *waiting)


def entries_of(content: bytes) -> Iterator[tuple[tuple[int, ...], bytes, bytes]]:
    """The fields of `STATUS`, the name and the target of each entry of an `ENTRIES`.

    :raises Broken: a name is no name, or an entry is not whole
    """
    at, end, head = NUMBER.size, len(content), _ENTRY_HEAD.size
    while at < end:
        if at + head > end:
            raise Broken("a part of an entry")
        *status, length, longer = _ENTRY_HEAD.unpack_from(content, at)
        at += head + length
        name, target = content[at - length : at], content[at : at + longer]
        at += longer
        if at > end:
            raise Broken("a part of an entry")
        if name in _NO_NAMES or b"/" in name or b"\0" in name:
            raise Broken("a name that no entry has")
        yield tuple(status), name, target


def file_of(content: bytes) -> tuple[int, tuple[int, ...], bytes]:
    """The number, the fields of `STATUS` and the SHA-256 of a `FILE`."""
    (number,) = NUMBER.unpack_from(content)
    return number, STATUS.unpack_from(content, NUMBER.size), content[NUMBER.size + STATUS.size :]


def pack_change(number: int, change: Change) -> bytes:
    """The question with `number` that asks for `change`."""
    flags = _EXECUTABLE * change.executable | _DURABLE * change.is_durable
    flags |= _HAS_BEFORE * bool(change.before)
    head = (number, change.act, flags, change.before_digest, change.digest, len(change.path))
    status = STATUS.pack(*(change.before or (0,) * 6))
    return pack(DO, _CHANGE_HEAD.pack(*head), status, change.path, change.text)


def change_of(content: bytes) -> Change:
    """The change that a `DO` asks for."""
    _, act, flags, before_digest, digest, size = _CHANGE_HEAD.unpack_from(content)
    before = STATUS.unpack_from(content, _CHANGE_HEAD.size) if flags & _HAS_BEFORE else ()
    end = _CHANGE_SIZE + size
    is_executable, is_durable = bool(flags & _EXECUTABLE), bool(flags & _DURABLE)
    path, text = content[_CHANGE_SIZE:end], content[end:]
    return Change(act, path, before, before_digest, digest, is_executable, is_durable, text)


class Decoder:
    """Splits bytes into frames as they arrive.

    :param kinds: those that are taken, with the least and the most bytes of their content
    """

    def __init__(self, kinds: Mapping[int, tuple[int, int]]) -> None:
        self._kinds = kinds
        self._buffer = bytearray()

    def take(self, data: bytes) -> Iterator[tuple[int, bytes]]:
        """Kind and content of each frame that `data` completes.

        :raises Broken: a frame has a kind that is not taken, or a size that its kind does not have
        """
        self._buffer += data
        at = 0
        try:
            while len(self._buffer) - at >= _FRAME.size:
                kind, size = _FRAME.unpack_from(self._buffer, at)
                least, most = self._kinds.get(kind, (0, -1))
                if most < 0:
                    raise Broken("a frame of an unknown kind")
                if not least <= size <= most:
                    raise Broken("a frame of a wrong size")
                end = at + _FRAME.size + size
                if len(self._buffer) < end:
                    return
                content = bytes(self._buffer[at + _FRAME.size : end])
                at = end
                yield kind, content
        finally:
            del self._buffer[:at]
