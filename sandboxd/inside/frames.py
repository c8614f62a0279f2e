"""The protocol between the two ends of a relay: frames, and which of them are valid.

A frame is its kind (1 byte), the connection's number and the length of the content (4 bytes each, big
endian). Sent into the sandbox as it is: standard library only, for Python 3.8."""

from __future__ import annotations

import struct

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator

READY, OPEN, DATA, END, CLOSE, CREDIT = range(1, 7)

WINDOW = 256 * 1024
"""Bytes that one end may send of a connection before the other has credited any."""
LONGEST_FRAME = WINDOW

_HEAD = struct.Struct(">BII")
_CREDIT = struct.Struct(">I")
_SIZES = {READY: 0, END: 0, CREDIT: _CREDIT.size}
"""Kinds whose content has one size only."""


class Broken(Exception):
    """The other end breaks the protocol: words that follow "it sent"."""


def pack(kind: int, number: int, content: bytes = b"") -> bytes:
    """A frame for the connection `number`; 0 for `READY`, which concerns none."""
    return _HEAD.pack(kind, number, len(content)) + content


def pack_credit(number: int, size: int) -> bytes:
    """A frame that lets the other end send `size` bytes more."""
    return pack(CREDIT, number, _CREDIT.pack(size))


def credit_of(content: bytes) -> int:
    """The number of bytes that a `CREDIT` frame with this content allows."""
    return int(_CREDIT.unpack(content)[0])


class Decoder:
    """Splits bytes into frames as they arrive."""

    def __init__(self) -> None:
        self._buffer = bytearray()

    def take(self, data: bytes) -> Iterator[tuple[int, int, bytes]]:
        """Kind, number and content of each frame that `data` completes.

        :raises Broken: a frame has an unknown kind, or a number or size that its kind does not have
        """
        self._buffer += data
        while len(self._buffer) >= _HEAD.size:
            kind, number, size = _HEAD.unpack_from(self._buffer)
            _check(kind, number, size)
            end = _HEAD.size + size
            if len(self._buffer) < end:
                return
            content = bytes(self._buffer[_HEAD.size : end])
            del self._buffer[:end]
            yield kind, number, content


def _check(kind: int, number: int, size: int) -> None:
    """Check the head of a frame before its content is waited for.

    :raises Broken: no valid frame has such a head
    """
    if not READY <= kind <= CREDIT:
        raise Broken("a frame of an unknown kind")
    if size > LONGEST_FRAME:
        raise Broken("a frame that is too long")
    if size != _SIZES.get(kind, size):
        raise Broken("a frame of a wrong size")
    if (number == 0) != (kind == READY):
        raise Broken("a frame for no connection")
