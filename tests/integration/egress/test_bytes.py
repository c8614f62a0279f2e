"""The bytes that left and came back by the real gateway, by each way through it, as the other end counts them."""

from __future__ import annotations

import socket
import ssl
import struct
from collections.abc import Callable

import pytest

from sandboxd.egress.gateway.meters import MOST_NAMES
from sandboxd.egress.layout import PROXY_PORT, SOCKS_PORT
from sandboxd.egress.names import pattern
from sandboxd.egress.policy import Policy, Rule
from tests.integration.egress.credentials import HOST, Client
from tests.integration.egress.internet import NameServer, Services
from tests.integration.egress.namespaces import INTERNET, PLACE
from tests.integration.egress.program import Event, Program
from tests.integration.egress.workspace import POLICY, Workspace, one_by_one, receive

SIZE = 1_234_567
HEADS = 1024
"""More than the heads of one request and its answer, in bytes."""
TLS = 8192
"""More than a handshake and the framing of `SIZE` bytes in records of 16 KiB: 29 bytes each (RFC 8446, section 5.2)."""


def carried(program: Program, name: str) -> tuple[int, int]:
    """The bytes up and down of `name` as the gateway tells a reader that comes now; (0, 0) for a name without a count."""
    after = program.last
    program.send({"op": "events", "after": after, "mark": f"at {after}"})
    end = program.wait(lambda event: event.get("mark") == f"at {after}", after)
    told = [
        (event["bytes_up"], event["bytes_down"])
        for event in program.events
        if event["event"] == "carried" and event["name"] == name and event["seq"] < end["seq"]
    ]
    return told[-1] if told else (0, 0)


def by_socks(workspace: Workspace) -> socket.socket:
    sock = workspace.tcp(PLACE.gateway, SOCKS_PORT)
    name = b"open.example"
    sock.sendall(b"\5\1\0\5\1\0\3" + bytes([len(name)]) + name + (9001).to_bytes(2, "big"))
    assert one_by_one(sock, b"\5\0") == b"\5\0" and len(sock.recv(10)) == 10
    return sock


WAYS: list[Callable[[Workspace], socket.socket]] = [
    lambda workspace: workspace.direct("open.example", 9001),
    lambda workspace: workspace.tunnel("open.example:9001"),
    by_socks,
]


@pytest.mark.parametrize("way", WAYS, ids=["direct", "CONNECT", "SOCKS"])
def test_of_a_tunnel_each_byte_is_counted(
    program: Program, workspace: Workspace, way: Callable[[Workspace], socket.socket]
) -> None:
    program.set(POLICY)
    with way(workspace) as sock:
        sock.sendall(b"x" * SIZE)
        sock.shutdown(socket.SHUT_WR)
        assert receive(sock, b"7") == b"%d" % SIZE
    assert carried(program, "open.example") == (SIZE, len(str(SIZE)))


def test_what_comes_down_is_counted(program: Program, workspace: Workspace) -> None:
    program.set(POLICY)
    with workspace.direct("open.example", 9000) as sock:
        sock.sendall(b"%d\n" % SIZE)
        left = SIZE
        while left:
            left -= len(sock.recv(1 << 16))
    assert carried(program, "open.example") == (len(str(SIZE)) + 1, SIZE)


def test_an_upload_by_tls_is_counted_with_its_framing(
    program: Program, workspace: Workspace
) -> None:
    program.set(POLICY)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
    with context.wrap_socket(workspace.direct("open.example", 443), server_hostname="open.example") as sock:  # fmt: skip
        data, sent, heard = b"x" * SIZE, 0, 0
        while heard < SIZE:
            # As much as is echoed, so that neither end waits for the other.
            sent += sock.send(data[sent : sent + 16384])
            while heard < sent:
                heard += sock.recv(1 << 16).count(b"x")
    up, down = carried(program, "open.example")
    assert SIZE <= up <= SIZE + TLS and SIZE <= down <= SIZE + TLS


@pytest.mark.parametrize("by_proxy", [True, False])
def test_plain_http_is_counted_with_its_heads(
    program: Program, workspace: Workspace, services: Services, by_proxy: bool
) -> None:
    program.set(POLICY)
    place = PLACE.gateway if by_proxy else workspace.address("open.example")
    target = "http://open.example/big" if by_proxy else "/big"
    head = f"POST {target} HTTP/1.1\r\nHost: open.example\r\nContent-Length: {SIZE}\r\n\r\n"
    with workspace.tcp(place, PROXY_PORT if by_proxy else 80) as sock:
        sock.sendall(head.encode() + b"x" * SIZE)
        answer = receive(sock, b"\r\n\r\n")
        length = int(answer.lower().split(b"content-length: ")[1].split(b"\r\n")[0])
        left = length - len(answer.partition(b"\r\n\r\n")[2])
        while left:
            left -= len(sock.recv(1 << 16))
    up, down = carried(program, "open.example")
    assert SIZE < up < SIZE + HEADS and length < down < length + HEADS


def test_after_an_upgrade_the_bytes_are_counted_on(program: Program, workspace: Workspace) -> None:
    program.set(POLICY)
    with workspace.tcp(PLACE.gateway, PROXY_PORT) as sock:
        sock.sendall(
            b"GET http://open.example/ HTTP/1.1\r\nHost: open.example\r\nConnection: Upgrade\r\n"
            b"Upgrade: websocket\r\nSec-WebSocket-Key: x\r\nSec-WebSocket-Version: 13\r\n\r\n"
        )
        receive(sock, b"hello")
        before = carried(program, "open.example")
        for _ in range(10):
            sock.sendall(b"x" * 1000)
            left = 1000
            while left:
                left -= len(sock.recv(left))
        after = carried(program, "open.example")
    assert (after[0] - before[0], after[1] - before[1]) == (10_000, 10_000)


def test_the_request_with_a_credential_is_counted_where_it_leaves(
    gateway: Program, workspace: Workspace
) -> None:
    status, _, _ = Client(workspace).ask("/v1/upload", "POST", b"x" * SIZE)
    assert status == 200
    up, down = carried(gateway, HOST)
    assert SIZE < up < SIZE + HEADS + TLS and 0 < down < HEADS + TLS


def test_a_long_connection_is_seen_while_it_runs_and_when_it_was_reset(
    program: Program, workspace: Workspace
) -> None:
    program.set(POLICY)

    def is_said(up: int) -> Callable[[Event], bool]:
        return lambda event: event["event"] == "carried" and event["bytes_up"] == up

    with workspace.direct("open.example", 7) as sock:
        for up in (5, 10):
            sock.sendall(b"12345")
            assert len(receive(sock, b"5")) == 5
            said = program.wait(is_said(up))
            assert (said["name"], said["bytes_down"]) == ("open.example", up)
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        sock.sendall(b"12345")
    # The gateway may have been told of the reset before it read the last bytes.
    assert carried(program, "open.example")[0] in (10, 15)


def test_what_was_denied_carried_nothing(program: Program, workspace: Workspace) -> None:
    program.set(POLICY)
    assert workspace.connect("denied.example:443").startswith("HTTP/1.1 403")
    program.denied("denied.example", "no-rule")
    assert carried(program, "denied.example") == (0, 0)
    assert not any(event["event"] == "carried" for event in program.events)


def test_names_beyond_the_bound_share_a_count(
    program: Program, workspace: Workspace, name_server: NameServer
) -> None:
    names = [f"n{number}.example" for number in range(MOST_NAMES + 5)]
    name_server.records |= {name: [INTERNET] for name in names}
    program.set(Policy(rules=tuple(Rule(pattern(name), (9001,), source="tests") for name in names)))
    for name in names:
        with workspace.tunnel(f"{name}:9001") as sock:
            sock.sendall(b"12")
            sock.shutdown(socket.SHUT_WR)
            assert sock.recv(9) == b"2"
    assert carried(program, names[0]) == (2, 1)
    assert carried(program, names[-1]) == (0, 0)
    assert carried(program, "") == (10, 5)


def test_it_says_that_it_counts(program: Program) -> None:
    assert program.ready["counts_bytes"] is True
