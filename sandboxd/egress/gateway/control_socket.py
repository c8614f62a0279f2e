"""Further ends of the control channel, for `control_relay`.

The socket is abstract: only who is in the gateway's own network namespace reaches it, which nothing of a workspace is.
"""

from __future__ import annotations

import asyncio
import socket
from collections.abc import Callable

from sandboxd.egress.gateway.channel import MOST_UNREAD
from sandboxd.egress.gateway.command_lines import CommandLines
from sandboxd.egress.gateway.control_relay import ADDRESS


class ControlSocket:
    """Takes commands from each of its connections, and sends all of them what the gateway writes."""

    def __init__(
        self, loop: asyncio.AbstractEventLoop, command: Callable[[bytes | None], None]
    ) -> None:
        """:param command: as in `CommandLines`"""
        self._loop, self._command = loop, command
        self._ends: set[asyncio.Transport] = set()
        self._listener = socket.socket(socket.AF_UNIX)
        self._listener.bind(ADDRESS)

    async def serve(self) -> None:
        """Accept connections until the gateway ends."""
        await self._loop.create_unix_server(
            lambda: _End(self._ends, CommandLines(self._command)), sock=self._listener
        )

    def write(self, line: bytes) -> None:
        """Send a line to all; who has not read for too long is cut off."""
        for end in list(self._ends):
            if end.get_write_buffer_size() + len(line) > MOST_UNREAD:
                end.abort()
            else:
                end.write(line)


class _End(asyncio.Protocol):
    def __init__(self, ends: set[asyncio.Transport], lines: CommandLines) -> None:
        self._ends, self._lines = ends, lines
        self._transport: asyncio.Transport | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.Transport)
        self._transport = transport
        self._ends.add(transport)

    def data_received(self, data: bytes) -> None:
        self._lines.take(data)

    def connection_lost(self, _error: Exception | None) -> None:
        if self._transport is not None:
            self._ends.discard(self._transport)
