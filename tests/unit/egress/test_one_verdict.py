"""The policy, the name server, the HTTP proxy and SOCKS say the same about a name, in any case."""

from __future__ import annotations

import asyncio
import socket
from collections.abc import Callable, Coroutine
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from sandboxd.egress.gateway import dns, socks_door
from sandboxd.egress.gateway.address_book import AddressBook
from sandboxd.egress.gateway.connections import Connection, Connections, Way
from sandboxd.egress.gateway.dialer import Dialer, NoWay
from sandboxd.egress.gateway.facts import WayOut
from sandboxd.egress.gateway.gate import Gate, Judgement
from sandboxd.egress.gateway.http_door import HttpDoor
from sandboxd.egress.gateway.journal import Journal
from sandboxd.egress.gateway.meters import Meters
from sandboxd.egress.gateway.resolver import Resolver
from sandboxd.egress.gateway.stub import Stub
from sandboxd.egress.gateway.tunnel import Parts
from sandboxd.egress.names import Pattern
from sandboxd.egress.policy import Policy, Rule, decide

NOW = 5.0
LABELS = st.sampled_from(["a", "b", "xn--c"])
NAMES = st.lists(LABELS, min_size=1, max_size=3).map(lambda labels: ".".join([*labels, "example"]))
PATTERNS = st.builds(Pattern, NAMES, st.booleans())
PORTS = st.sampled_from([(443,), (22,), (22, 443)])
RULES = st.tuples(PATTERNS, PORTS, st.sampled_from([0.0, 1.0, 9.0])).map(
    lambda parts: Rule(parts[0], parts[1], until=parts[2])
)
POLICIES = st.tuples(
    st.lists(RULES, max_size=6), st.lists(PATTERNS, max_size=2), st.lists(NAMES, max_size=1)
).map(lambda parts: Policy(1, *map(tuple, parts)))
ODD = st.sampled_from(["127.0.0.1", "0x7f.1", "localhost", "-a.example", "A.example.", "B.EXAMPLE"])


class Nowhere(Dialer):
    """Notes that a name would be dialled, and reaches nothing."""

    def __init__(self, gate: Gate) -> None:
        super().__init__(
            gate, Resolver([], "", False), "198.18.0.0/19", "", WayOut("", "", False), "198.18.0.2"
        )
        self.dialled: list[tuple[str, int]] = []

    async def dial(self, judgement: Judgement, port: int, speaks_http: bool = False) -> Way:
        self.dialled.append((judgement.name, port))
        raise NoWay("unreachable")


def gateway_parts(loop: asyncio.AbstractEventLoop, policy: Policy) -> tuple[Parts, Nowhere]:
    gate = Gate(AddressBook("198.18.16.0/20", 0), lambda: NOW)
    gate.set(policy)
    dialer = Nowhere(gate)
    journal = Journal(lambda _: True, lambda: NOW)
    meters = Meters(journal.carried, lambda: NOW)
    return Parts(loop, gate, journal, Connections(loop, print), dialer, meters), dialer


async def answer(door: Callable[[Connection], Coroutine[Any, Any, None]], data: bytes) -> bytes:
    """What a door says to `data`."""
    ours, theirs = socket.socketpair()
    ours.setblocking(False)
    with ours, theirs:
        theirs.sendall(data)
        theirs.shutdown(socket.SHUT_WR)
        await door(Connection(ours))
        ours.close()
        response = b""
        while more := theirs.recv(4096):
            response += more
        return response


async def by_name_server(policy: Policy, name: str) -> bool:
    loop = asyncio.get_running_loop()
    parts, _ = gateway_parts(loop, policy)
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sock:
        stub = Stub(parts, sock, "198.18.0.2", lambda _: True)
        reply = stub.answer(dns.query(1, name.removesuffix("."), dns.A))
        loop.remove_reader(sock)
    assert reply is not None
    return reply[3] & 15 == dns.NO_ERROR and reply[7] == 1


async def by_proxy(policy: Policy, name: str, port: int, connect: bool) -> bool:
    parts, dialer = gateway_parts(asyncio.get_running_loop(), policy)
    target = f"{name}:{port}"
    line = f"CONNECT {target}" if connect else f"GET http://{target}/"
    request = f"{line} HTTP/1.1\r\nHost: {target}\r\n\r\n".encode()
    response = await answer(lambda connection: HttpDoor(parts, connection).serve(), request)
    assert response.startswith(b"HTTP/1.1 502" if dialer.dialled else b"HTTP/1.1 403"), response
    return bool(dialer.dialled)


async def by_socks(policy: Policy, name: str, port: int) -> bool:
    parts, dialer = gateway_parts(asyncio.get_running_loop(), policy)
    request = b"\5\1\0\5\1\0\3" + bytes([len(name)]) + name.encode() + port.to_bytes(2, "big")
    response = await answer(lambda connection: socks_door.serve(parts, connection), request)
    assert response[:2] == b"\5\0" and response[3] == (5 if dialer.dialled else 2)
    return bool(dialer.dialled)


@settings(max_examples=60, deadline=None)
@given(POLICIES, NAMES | ODD, st.sampled_from([22, 443]))
def test_every_door_has_the_verdict_of_the_policy(policy: Policy, name: str, port: int) -> None:
    async def ask() -> list[bool]:
        return [
            await by_proxy(policy, name, port, connect=True),
            await by_proxy(policy, name, port, connect=False),
            await by_socks(policy, name, port),
        ]

    allowed = decide(policy, name, port, NOW).allowed
    assert asyncio.run(ask()) == [allowed] * 3
    resolves = decide(policy, name, 0, NOW).allowed
    assert asyncio.run(by_name_server(policy, name)) == resolves
    assert resolves or not allowed
