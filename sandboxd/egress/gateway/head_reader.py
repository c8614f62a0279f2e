"""Reads a client's next request up to its body, within a time limit."""

from __future__ import annotations

import asyncio

import h11

from sandboxd.egress.gateway import http_head
from sandboxd.egress.gateway.http_head import BadHead
from sandboxd.egress.gateway.reader import Reader
from sandboxd.egress.gateway.turns import TURNS

HEAD_SECONDS, IDLE_SECONDS = 10.0, 90.0
"""For a head from its first byte on, and between two requests."""

TOO_SLOW = 408


async def next_request(reader: Reader, seconds: float) -> tuple[h11.Connection, h11.Request] | None:
    """The next request, and the connection that waits for its body; None when the client ended.

    :param seconds: until its first byte
    :raises BadHead: it is no request, or its head was not complete in time (`TOO_SLOW`)
    """
    try:
        async with asyncio.timeout(seconds):
            if not reader.data and not await reader.more():
                return None
        async with asyncio.timeout(HEAD_SECONDS):
            while (parts := http_head.split(reader.data)) is None:
                if not await reader.more():
                    return None
    except TimeoutError:
        if not reader.data:
            return None
        raise BadHead("the request came too slowly", TOO_SLOW) from None
    reader.data = parts[1]
    await TURNS.keep()
    return http_head.parse(parts[0])
