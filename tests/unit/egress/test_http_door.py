"""A client of the HTTP proxy that takes its time."""

from __future__ import annotations

import asyncio
import socket

import pytest

from sandboxd.egress.gateway import head_reader
from sandboxd.egress.gateway.connections import Connection
from sandboxd.egress.gateway.http_door import HttpDoor
from sandboxd.egress.policy import Policy
from tests.unit.egress.test_one_verdict import gateway_parts


@pytest.mark.parametrize(("head", "answer"), [(b"GET http://a.exam", b"HTTP/1.1 408"), (b"", b"")])
def test_a_head_that_does_not_come_to_its_end_is_given_up(
    monkeypatch: pytest.MonkeyPatch, head: bytes, answer: bytes
) -> None:
    monkeypatch.setattr(head_reader, "HEAD_SECONDS", 0.02)

    async def serve() -> bytes:
        parts, _ = gateway_parts(asyncio.get_running_loop(), Policy())
        ours, theirs = socket.socketpair()
        ours.setblocking(False)
        theirs.setblocking(False)
        with ours, theirs:
            theirs.sendall(head)
            door = asyncio.ensure_future(HttpDoor(parts, Connection(ours)).serve())
            loop = asyncio.get_running_loop()
            first = await loop.sock_recv(theirs, 100) if head else b""
            theirs.shutdown(socket.SHUT_WR)
            await door
            return first

    assert asyncio.run(serve()).startswith(answer)
