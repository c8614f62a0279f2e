"""Connections to synthetic addresses: the dialled address identifies the name."""

from __future__ import annotations

from sandboxd.egress.gateway import tunnel
from sandboxd.egress.gateway.connections import Connection
from sandboxd.egress.gateway.http_door import enter
from sandboxd.egress.gateway.tunnel import Destination, Parts

DOOR = "direct"


async def serve(parts: Parts, connection: Connection) -> None:
    """Serve one connection; a refused one is reset."""
    address, port = connection.client.getsockname()
    name = parts.gate.book.name(address)
    if name is None:
        parts.journal.attempt("denied", address, port, DOOR, "not-a-name")
        return
    judgement = tunnel.judge(parts, connection, name, port, DOOR)
    if judgement.allowed:
        await enter(parts, connection, Destination(judgement, port, DOOR), b"", _say_nothing)


def _say_nothing(_reason: str, _detail: str) -> bytes:
    return b""
