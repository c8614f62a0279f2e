"""Relays a connection that switched from HTTP to another protocol; one side may use TLS."""

from __future__ import annotations

import asyncio
import contextlib

from sandboxd.egress.gateway.http_exchange import Switched
from sandboxd.egress.gateway.reader import Reader
from sandboxd.egress.gateway.streams import Stream

_SIZE = 1 << 16


async def carry(reader: Reader, stream: Stream, switched: Switched) -> None:
    """Copy both ways until one end closes: WebSocket ends by a message of its own, never by half a connection."""

    async def up() -> None:
        await stream.send(switched.to_server)
        while await reader.more(_SIZE):
            await stream.send(reader.take())

    async def down() -> None:
        await reader.send(switched.to_client)
        while data := await stream.receive(_SIZE):
            await reader.send(data)

    loop = asyncio.get_running_loop()
    tasks = [loop.create_task(way()) for way in (up, down)]
    try:
        await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
    finally:
        for task in tasks:
            task.cancel()
        ends = await asyncio.gather(*tasks, return_exceptions=True)
    if not any(isinstance(end, OSError) for end in ends):
        with contextlib.suppress(OSError):
            await reader.end()
