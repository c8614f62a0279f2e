"""Reads from a client in steps, within a time limit."""

from __future__ import annotations

import asyncio
import contextlib
import socket

from sandboxd.egress.gateway.connections import Connection
from sandboxd.egress.gateway.turns import TURNS

_SIZE = 1 << 16
_LAST_SECONDS, _LAST_BYTES = 2.0, 1 << 18


class Reader:
    """A client's connection, and the bytes that were read from it and not used yet."""

    def __init__(self, connection: Connection, data: bytes = b"") -> None:
        self.sock, self.data = connection.client, data
        self._connection = connection
        self._loop = asyncio.get_running_loop()

    async def more(self, size: int = _SIZE) -> bool:
        """Read further bytes; False at the end. A time limit that passes meanwhile loses none."""
        while True:
            try:
                data = self.sock.recv(size)
                break
            except BlockingIOError:
                await self._readable()
        self.data += data
        await TURNS.keep()
        return bool(data)

    async def _readable(self) -> None:
        """Wait for bytes without taking them: `sock_recv` drops those that it took when it is cancelled."""
        ready = asyncio.Event()
        self._loop.add_reader(self.sock, ready.set)
        try:
            await ready.wait()
        finally:
            self._loop.remove_reader(self.sock)

    def take(self, size: int | None = None) -> bytes:
        """Remove and return the first `size` bytes, or all."""
        size = len(self.data) if size is None else size
        data, self.data = self.data[:size], self.data[size:]
        return data

    async def send(self, data: bytes | memoryview) -> None:
        if data:
            await self._loop.sock_sendall(self.sock, data)

    async def end(self, data: bytes = b"") -> None:
        """Send `data` as the last bytes, and let the client read them before the connection is closed.

        A close with bytes unread becomes a reset, which can overtake what was sent: so for a moment what the
        client still sends is read and dropped.
        """
        self._connection.orderly = True
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(_LAST_SECONDS):
                await self.send(data)
                self.sock.shutdown(socket.SHUT_WR)
                most = _LAST_BYTES
                while most > 0 and (unread := await self._loop.sock_recv(self.sock, _SIZE)):
                    most -= len(unread)
