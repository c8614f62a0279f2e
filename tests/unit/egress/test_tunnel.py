"""What the gateway knows of a connection that asks for one name after another."""

from __future__ import annotations

import asyncio
import socket

from sandboxd.egress.gateway import tunnel
from sandboxd.egress.gateway.connections import Connection, Way
from sandboxd.egress.names import pattern
from sandboxd.egress.policy import Policy, Rule
from tests.unit.egress.test_one_verdict import gateway_parts

NAMES = ("a.example", "b.example")
POLICY = Policy(1, tuple(Rule(pattern(name), (80,)) for name in NAMES))


def test_a_new_name_has_not_the_way_of_the_one_before() -> None:
    async def ask(client: socket.socket) -> Connection:
        parts, _ = gateway_parts(asyncio.get_running_loop(), POLICY)
        connection = Connection(client)
        for name in NAMES:
            tunnel.judge(parts, connection, name, 80, "http")
            way, connection.way = connection.way, Way(client, "192.0.2.1")
            assert way is None
        return connection

    with socket.socket() as client:
        assert asyncio.run(ask(client)).name == NAMES[1]
