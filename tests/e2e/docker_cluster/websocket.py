"""The server's side of a WebSocket, as far as `exec` needs one (RFC 6455: whole messages, no extensions)."""

from __future__ import annotations

import base64
import hashlib
import select
import socket
import ssl
import struct
import threading

_GUID = b"258EAFA5-E914-47DA-95CA-C5AB0DC85B11"
_TURN = 1.0
"""Seconds after which a connection is tried again that does not say it is ready."""
_CONTINUED, _TEXT, _BINARY, _CLOSE, _PING, _PONG = 0, 1, 2, 8, 9, 10


def accept_key(key: str) -> str:
    """The answer to `Sec-WebSocket-Key`."""
    return base64.b64encode(hashlib.sha1(key.encode() + _GUID).digest()).decode()


class WebSocket:
    """A connection whose handshake is done. Several threads may send."""

    def __init__(self, connection: ssl.SSLSocket) -> None:
        self._connection = connection
        connection.setblocking(False)
        self._buffer = b""
        # One TLS connection must not be read and written at the same moment.
        self._using = threading.Lock()
        self._most = -1

    def break_after(self, size: int) -> None:
        """Break the connection without a word, once so many bytes came in messages."""
        self._most = size

    def receive(self) -> bytes | None:
        """The next message; None once the other side has closed, also in the middle of one."""
        whole, received = b"", 0
        while True:
            head = self._read(2)
            if len(head) < 2:
                return None
            length = head[1] & 0x7F
            more = {126: 2, 127: 8}.get(length, 0)
            masked = 4 if head[1] & 0x80 else 0
            rest = self._read(more + masked)
            if len(rest) < more + masked:
                return None
            length = int.from_bytes(rest[:more], "big") if more else length
            data = self._read(length)
            if len(data) < length:
                return None
            data = _masked(data, rest[more:] or bytes(4))
            kind = head[0] & 0x0F
            if kind == _CLOSE:
                return None
            if kind == _PING:
                self._send(_PONG, data)
            elif kind in (_CONTINUED, _TEXT, _BINARY):
                whole += data
                if 0 <= self._most < (received := received + len(data)):
                    socket.socket.shutdown(self._connection, socket.SHUT_RDWR)
                    return None
                if head[0] & 0x80:
                    self._most -= received if self._most >= 0 else 0
                    return whole

    def send(self, data: bytes) -> None:
        self._send(_BINARY, data)

    def close(self) -> None:
        self._send(_CLOSE, struct.pack("!H", 1000))

    def _send(self, kind: int, data: bytes) -> None:
        size = len(data)
        if size < 126:
            head = struct.pack("!BB", 0x80 | kind, size)
        elif size < 1 << 16:
            head = struct.pack("!BBH", 0x80 | kind, 126, size)
        else:
            head = struct.pack("!BBQ", 0x80 | kind, 127, size)
        left = memoryview(head + data)
        while left:
            with self._using:
                try:
                    left = left[self._connection.send(left) :]
                    continue
                except (ssl.SSLWantReadError, ssl.SSLWantWriteError):
                    pass
            select.select([], [self._connection], [], _TURN)

    def _read(self, size: int) -> bytes:
        """So many bytes; fewer where the other side has closed."""
        while len(self._buffer) < size:
            with self._using:
                try:
                    data = self._connection.recv(1 << 16)
                    if not data:
                        break
                    self._buffer += data
                    continue
                except (ssl.SSLWantReadError, ssl.SSLWantWriteError):
                    pass
            select.select([self._connection], [], [], _TURN)
        data, self._buffer = self._buffer[:size], self._buffer[size:]
        return data


def _masked(data: bytes, mask: bytes) -> bytes:
    key = int.from_bytes(mask * (len(data) // 4 + 1), "big") >> (8 * (4 - len(data) % 4))
    return (int.from_bytes(data, "big") ^ key).to_bytes(len(data), "big")
