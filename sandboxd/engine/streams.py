"""Answers that are read piece by piece, and connections that are taken over from the SDK."""

from __future__ import annotations

import contextlib
import socket
import ssl
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Mapping

    import requests

_PIECE = 65536
_SWITCHED = 101


class Stream:
    """The body of an answer, piece by piece.

    Reading raises the errors of the layers below, which `session.failure_of` translates.
    """

    def __init__(self, response: requests.Response) -> None:
        self._response = response
        self._raw: Any = response.raw

    @property
    def headers(self) -> Mapping[str, str]:
        return self._response.headers

    def settimeout(self, seconds: float | None) -> None:
        """Set the time limit for each further piece; None for no limit."""
        # requests knows one limit for the head and the body; a stream may be silent for days.
        reader = self._raw._fp.fp
        # At the end of the body there is no reader; the connection may be gone before it.
        if reader is not None:
            reader.raw._sock.settimeout(seconds)

    def read(self, size: int) -> bytes:
        """Read `size` bytes, or fewer at the end."""
        pieces, remaining = [], size
        while remaining > 0 and (piece := self._raw.read(remaining)):
            pieces.append(piece)
            remaining -= len(piece)
        return b"".join(pieces)

    def pieces(self) -> Iterator[bytes]:
        """The body as it arrives."""
        while piece := self._raw.read1(_PIECE):
            yield piece

    def lines(self) -> Iterator[bytes]:
        """The body's lines, each as soon as it is complete."""
        rest = b""
        for piece in self.pieces():
            *complete, rest = (rest + piece).split(b"\n")
            yield from complete

    def frames(self) -> Iterator[tuple[int, bytes]]:
        """Pieces of the output of a container without a terminal: 1 for stdout, 2 for stderr."""
        while len(head := self.read(8)) == 8:
            yield head[0], self.read(int.from_bytes(head[4:], "big"))

    def close(self) -> None:
        self._response.close()


class Growing(NamedTuple):
    """A connection on which a container's output arrives in HTTP chunks; its owner closes it."""

    connection: socket.socket
    first: bytes
    """Bytes of the body that arrived together with the head of the answer."""
    has_tty: bool
    """Whether the output is a terminal's, so that it has no frames."""


def take_over(response: requests.Response, status: int = _SWITCHED) -> tuple[socket.socket, bytes]:
    """The socket of an answer's connection, and the bytes that arrived on it together with the head of the answer.

    The SDK's `exec_start(socket=True)` loses these bytes (docker/docker-py #425, #3332): they stay in
    the buffered reader of http.client, from which they are fetched here. The connection leaves its
    pool, since no other request may use it.

    Works with and without TLS.

    :param status: the HTTP status that the answer must have; 101 for a switch of protocols
    :raises ValueError: it has another one, or the connection is closed with the answer
    """
    raw: Any = response.raw
    connection, reader = raw._connection, raw._fp.fp
    if response.status_code != status or connection is None or connection.sock is None:
        response.close()
        raise ValueError("the connection was not handed over")
    stream: socket.socket = connection.sock
    first = _read_buffer(stream, reader)
    connection.sock = None
    response.close()
    stream.settimeout(None)
    return stream, first


def _read_buffer(stream: socket.socket, reader: Any) -> bytes:
    stream.settimeout(0.0)
    # A plain socket says "nothing yet" by an empty answer, TLS by an error of its own.
    with contextlib.suppress(ssl.SSLWantReadError):
        return bytes(reader.peek())
    return b""
