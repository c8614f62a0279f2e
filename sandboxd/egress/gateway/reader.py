"""Reads from a client in steps, within a time."""

from __future__ import annotations

import asyncio
import socket

_SIZE = 1 << 16


class Reader:
    """A socket, and what was read from it and not used yet."""

    def __init__(self, sock: socket.socket, data: bytes = b"") -> None:
        self.sock, self.data = sock, data
        self._loop = asyncio.get_running_loop()

    async def more(self, size: int = _SIZE) -> bool:
        """Read on; False at the end."""
        data = await self._loop.sock_recv(self.sock, size)
        self.data += data
        return bool(data)

    def take(self, size: int | None = None) -> bytes:
        """The first `size` bytes, or all, which are used now."""
        size = len(self.data) if size is None else size
        data, self.data = self.data[:size], self.data[size:]
        return data

    async def send(self, data: bytes) -> None:
        if data:
            await self._loop.sock_sendall(self.sock, data)

    async def end(self, data: bytes, seconds: float = 1.0, most: int = 1 << 18) -> None:
        """Say `data` as the last, and let the client read it before the connection is closed.

        A close with bytes unread becomes a reset, which can overtake what was sent.
        """
        async with asyncio.timeout(seconds):
            await self.send(data)
            self.sock.shutdown(socket.SHUT_WR)
            while most > 0 and (unread := await self._loop.sock_recv(self.sock, _SIZE)):
                most -= len(unread)
