"""HTTP/1.1 as a container engine speaks it: one request and its answer on a connection of its own.

The standard library's client is not used: with the mail parser and TLS that come with it, its import
takes longer than everything else that `up` does before the engine begins to work.
"""

from __future__ import annotations

import socket
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping
    from types import TracebackType
    from typing import Self

_LONGEST_LINE = 65536
_MOST_HEADERS = 200
_PIECE = 65536
_NO_BODY = (204, 304)


class WireError(Exception):
    """The other end does not speak HTTP, or broke off in the middle of an answer."""


class Answer:
    """`headers` by their names in lower case; the body is read as it arrives.

    :raises WireError: what arrives is no answer
    :raises OSError: the connection failed, or nothing came in time
    """

    def __init__(self, connection: socket.socket, method: str) -> None:
        self._socket = connection
        self._file = connection.makefile("rb")
        self._left: int | None = 0
        self._chunked = False
        self._ended = False
        self._buffer = b""
        self.status, self.reason = self._status()
        while 100 <= self.status < 200:
            self._headers()
            self.status, self.reason = self._status()
        self.headers = self._headers()
        self._frame(method)

    def read(self, size: int = -1) -> bytes:
        """`size` bytes, less at the end; all of it without a size."""
        pieces, length = [], 0
        while size < 0 or length < size:
            piece = self.read1(_PIECE if size < 0 else size - length)
            if not piece:
                break
            pieces.append(piece)
            length += len(piece)
        return b"".join(pieces)

    def read1(self, size: int) -> bytes:
        """What is there, at most `size` bytes; b"" at the end."""
        if not self._buffer:
            self._buffer = self._next()
        piece, self._buffer = self._buffer[:size], self._buffer[size:]
        return piece

    def readline(self) -> bytes:
        """Up to the next line feed, which is part of it; b"" at the end."""
        pieces: list[bytes] = []
        while piece := self._buffer or self._next():
            line, feed, self._buffer = piece.partition(b"\n")
            pieces.append(line + feed)
            if feed:
                break
        return b"".join(pieces)

    def settimeout(self, seconds: float | None) -> None:
        self._socket.settimeout(seconds)

    def close(self) -> None:
        self._file.close()
        self._socket.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()

    def _line(self) -> bytes:
        line = self._file.readline(_LONGEST_LINE)
        if not line.endswith(b"\n"):
            raise WireError("it broke off" if len(line) < _LONGEST_LINE else "a line has no end")
        return line.rstrip(b"\r\n")

    def _status(self) -> tuple[int, str]:
        words = self._line().decode("latin-1").split(None, 2)
        if len(words) < 2 or not words[0].startswith("HTTP/") or not words[1].isdigit():
            raise WireError(f"not HTTP: {' '.join(words)[:80]}")
        return int(words[1]), words[2] if len(words) > 2 else ""

    def _headers(self) -> dict[str, str]:
        found: dict[str, str] = {}
        while line := self._line():
            name, colon, value = line.decode("latin-1").partition(":")
            if not colon or len(found) >= _MOST_HEADERS:
                raise WireError(f"no header: {name[:80]}")
            found[name.strip().lower()] = value.strip()
        return found

    def _frame(self, method: str) -> None:
        """Where the body ends: at a length, at the last chunk, or with the connection."""
        if method == "HEAD" or self.status in _NO_BODY:
            self._ended = True
        elif self.headers.get("transfer-encoding", "").lower() == "chunked":
            self._chunked = True
        else:
            length = self.headers.get("content-length")
            if length is not None and not length.isdigit():
                raise WireError(f"no length: {length[:80]}")
            self._left = None if length is None else int(length)

    def _next(self) -> bytes:
        if self._ended:
            return b""
        if self._left == 0:
            self._left = self._chunk() if self._chunked else 0
            if not self._left:
                self._ended = True
                return b""
        piece: bytes = self._file.read1(_PIECE if self._left is None else min(self._left, _PIECE))
        if self._left is None:
            self._ended = not piece
            return piece
        if not piece:
            raise WireError("it broke off")
        self._left -= len(piece)
        if self._chunked and self._left == 0:
            self._line()
        return piece

    def _chunk(self) -> int:
        size = self._line().partition(b";")[0].strip()
        try:
            length = int(size, 16)
        except ValueError:
            raise WireError("no chunk") from None
        if length == 0:
            while self._line():
                pass
        return length


def send(
    connection: socket.socket, method: str, target: str, headers: Mapping[str, str], body: bytes
) -> Answer:
    """One request; the answer owns the connection.

    :raises WireError, OSError: see `Answer`
    """
    lines = [f"{method} {target} HTTP/1.1", *(f"{n}: {v}" for n, v in headers.items()), "", ""]
    connection.sendall("\r\n".join(lines).encode("latin-1") + body)
    return Answer(connection, method)
