"""SOCKS 5, for programs that know no HTTP proxy."""

from __future__ import annotations

import asyncio

from sandboxd.egress.gateway import socks_format, tunnel
from sandboxd.egress.gateway.connections import Connection
from sandboxd.egress.gateway.http_door import enter
from sandboxd.egress.gateway.reader import Reader
from sandboxd.egress.gateway.socks_format import BadSocks, Code, Request
from sandboxd.egress.gateway.tunnel import Destination, Parts

DOOR = "socks"

_SECONDS = 10.0
_CODES = {
    "unresolved": Code.HOST_UNREACHABLE,
    "unreachable": Code.REFUSED,
    "upstream": Code.HOST_UNREACHABLE,
}


async def serve(parts: Parts, connection: Connection) -> None:
    """Serve one connection; a name is judged by the policy, an address as what it is."""
    reader = Reader(connection)
    try:
        async with asyncio.timeout(_SECONDS):
            request = await _request(reader)
    except BadSocks as error:
        parts.journal.attempt("denied", "", 0, DOOR, "malformed", "", str(error))
        await reader.end(error.reply)
        return
    if request is None:
        return
    judgement = tunnel.judge(parts, connection, request.host, request.port, DOOR)
    if not judgement.allowed:
        await reader.end(socks_format.reply(Code.NOT_ALLOWED))
        return
    destination = Destination(judgement, request.port, DOOR)
    await enter(
        parts, connection, destination, socks_format.reply(Code.GRANTED), _refusal, reader.take()
    )


async def _request(reader: Reader) -> Request | None:
    """The request of a SOCKS client; None where it ends early.

    :raises BadSocks: it is not SOCKS 5, or a part of it that is not supported
    """
    while (size := socks_format.read_greeting(reader.data)) is None:
        if not await reader.more():
            return None
    reader.take(size)
    await reader.send(socks_format.GREETING_REPLY)
    while (request := socks_format.read_request(reader.data)) is None:
        if not await reader.more():
            return None
    reader.take(request.size)
    return request


def _refusal(reason: str, _detail: str) -> bytes:
    return socks_format.reply(_CODES.get(reason, Code.NOT_ALLOWED))
