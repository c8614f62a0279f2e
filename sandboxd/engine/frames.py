"""Decodes a container's output as engines send it, from a bare connection.

Imports nothing: a client reads commands that the daemon started for it by this module, too.
"""

from __future__ import annotations

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from typing import Protocol

    class Readable(Protocol):
        """A stream that output is read from."""

        def recv(self, size: int, /) -> bytes:
            """Receive at least one byte, or none at the end."""


_SIZE = 65536
_HEAD = 8
_LONGEST_LINE = 1024


class Frames:
    """Splits a byte stream into pieces of output, each with its stream: 1 for stdout, 2 for stderr."""

    def __init__(self) -> None:
        self._buffer = bytearray()

    def take(self, data: bytes) -> Iterator[tuple[int, bytes]]:
        """(stream, bytes) of each frame that `data` completes."""
        buffer = self._buffer
        buffer += data
        while len(buffer) >= _HEAD:
            size = int.from_bytes(buffer[4:_HEAD], "big")
            if len(buffer) < _HEAD + size:
                return
            frame = buffer[0], bytes(buffer[_HEAD : _HEAD + size])
            del buffer[: _HEAD + size]
            yield frame


def pump(
    connection: Readable, first: bytes, tty: bool, write: Callable[[int, bytes], None]
) -> None:
    """Pass each piece of output to `write`, with its stream (1 stdout, 2 stderr), until the connection ends.

    A terminal's output has no frames; else each piece has a header of eight bytes (Engine API, "Attach to a
    container": stream, three zeros, size).

    :param first: bytes that arrived on the connection before
    :param tty: whether the output is a terminal's
    """
    if tty:
        piece = first or _receive(connection)
        while piece:
            write(1, piece)
            piece = _receive(connection)
        return
    frames = Frames()
    piece = first or _receive(connection)
    while piece:
        for stream, data in frames.take(piece):
            write(stream, data)
        piece = _receive(connection)


def _receive(connection: Readable) -> bytes:
    try:
        return connection.recv(_SIZE)
    except ConnectionResetError:
        return b""


class Chunks:
    """The body of an HTTP answer in chunked transfer coding (RFC 9112, section 7.1), on a bare connection."""

    def __init__(self, connection: Readable, first: bytes) -> None:
        self._connection = connection
        self._buffer = bytearray(first)
        self._left = 0
        """Bytes of the chunk that are still to come."""
        self._is_first = True
        self._is_at_end = False

    def recv(self, size: int, /) -> bytes:
        """Receive at most `size` bytes of the body; b"" at its end.

        :raises ValueError: the coding is not valid, or the connection ends within the body
        """
        if self._left == 0 and not self._is_at_end:
            self._begin_chunk()
        if self._is_at_end:
            return b""
        if not self._buffer:
            self._fill()
        piece = bytes(self._buffer[: min(size, self._left)])
        del self._buffer[: len(piece)]
        self._left -= len(piece)
        return piece

    def _begin_chunk(self) -> None:
        if not self._is_first and self._line():
            raise ValueError("a chunk does not end where it says")
        self._is_first = False
        digits = self._line().partition(b";")[0].strip()
        if not digits or digits.strip(b"0123456789abcdefABCDEF"):
            raise ValueError("a chunk has no size")
        self._left = int(digits, 16)
        self._is_at_end = self._left == 0

    def _line(self) -> bytes:
        while (end := self._buffer.find(b"\r\n")) < 0:
            if len(self._buffer) > _LONGEST_LINE:
                raise ValueError("the head of a chunk does not end")
            self._fill()
        line = bytes(self._buffer[:end])
        del self._buffer[: end + 2]
        return line

    def _fill(self) -> None:
        piece = self._connection.recv(_SIZE)
        if not piece:
            raise ValueError("the engine ended its answer in the middle")
        self._buffer += piece
