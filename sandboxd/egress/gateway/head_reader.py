"""Reads the head of a client's next request, within a time limit."""

from __future__ import annotations

import asyncio

from sandboxd.egress.gateway import http_head
from sandboxd.egress.gateway.http_head import BadHead
from sandboxd.egress.gateway.reader import Reader

HEAD_SECONDS, IDLE_SECONDS = 10.0, 90.0
"""For a head from its first byte on, and between two requests."""

TOO_SLOW = 408


async def next_head(reader: Reader, seconds: float) -> bytes | None:
    """The next head; None when the client ended.

    :param seconds: until its first byte
    :raises BadHead: it is no head, or was not complete in time (`TOO_SLOW`)
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
    return parts[0]
