"""What the gateway reads from a client: a time limit that passes loses none of it."""

from __future__ import annotations

import asyncio
import socket
from typing import Any, cast

import pytest

from sandboxd.egress.gateway import reader as module
from sandboxd.egress.gateway.connections import Connection
from sandboxd.egress.gateway.reader import Reader


async def _after_a_cut(pair: tuple[socket.socket, socket.socket]) -> bytes:
    client, other = pair
    client.setblocking(False)
    reader = Reader(Connection(client))
    reading = asyncio.ensure_future(reader.more())
    await asyncio.sleep(0)
    # Both come in one turn of the loop: the bytes first, then the limit.
    other.send(b"first")
    asyncio.get_running_loop().call_later(0, reading.cancel)
    with pytest.raises(asyncio.CancelledError):
        await reading
    assert await reader.more()
    return reader.data


def test_bytes_that_come_with_the_time_limit_are_kept() -> None:
    one, other = socket.socketpair()
    with one, other:
        assert asyncio.run(_after_a_cut((one, other))) == b"first"


def test_bytes_that_wait_for_a_turn_are_kept(monkeypatch: pytest.MonkeyPatch) -> None:
    class Late:
        async def keep(self) -> None:
            raise TimeoutError

    async def read(client: socket.socket) -> bytes:
        client.setblocking(False)
        reader = Reader(Connection(client))
        with pytest.raises(TimeoutError):
            await reader.more()
        return reader.data

    one, other = socket.socketpair()
    with one, other:
        other.send(b"first")
        monkeypatch.setattr(module, "TURNS", cast("Any", Late()))
        assert asyncio.run(read(one)) == b"first"
