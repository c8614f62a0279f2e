"""Faults of the network outside: each is said in words, lets nothing through, and is over when it is over."""

from __future__ import annotations

import socket
import struct
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from sandboxd.egress.names import pattern
from sandboxd.egress.policy import Policy, Rule
from tests.integration.egress.internet import NameServer, Services, echo
from tests.integration.egress.namespaces import (
    INTERNET,
    INTERNET_6,
    MORE_INTERNET,
    Namespaces,
)
from tests.integration.egress.program import Program
from tests.integration.egress.test_bounds import until_it_works
from tests.integration.egress.workspace import GET, POLICY, Workspace

FAR = "93.185.0.1"
OTHER = Rule(pattern("other.example"), (7,), source="tests")


def connect(workspace: Workspace, name: str = "open.example") -> str:
    """What the proxy answers, however long it takes to give up."""
    return workspace.connect(f"{name}:7")


def ip(namespace: str, *words: str) -> None:
    subprocess.run(["ip", "-n", namespace, *words], check=True)


@contextmanager
def gateway(namespaces: Namespaces, folder: Path, server: str) -> Iterator[Program]:
    running = Program(namespaces, folder, server=server)
    try:
        yield running
    finally:
        running.close()


def test_without_a_name_server_nothing_resolves_and_a_denied_name_is_denied_at_once(
    namespaces: Namespaces, services: Services, tmp_path: Path
) -> None:
    with gateway(namespaces, tmp_path, MORE_INTERNET[2]) as program:
        program.set(POLICY)
        workspace = Workspace(namespaces)
        answer = connect(workspace)
        assert answer.startswith("HTTP/1.1 502")
        assert "does not resolve" in answer and "no name server answered" in answer
        assert program.denied("open.example", "unresolved")["detail"] == "no name server answered"
        assert workspace.connect("denied.example:7").startswith("HTTP/1.1 403")


def test_a_name_server_that_comes_back_is_heard(
    program: Program, workspace: Workspace, name_server: NameServer
) -> None:
    program.set(POLICY)
    name_server.records["open.example"] = ["SILENT"]
    assert "no name server answered" in connect(workspace)
    name_server.records["open.example"] = [INTERNET]
    assert connect(workspace).startswith("HTTP/1.1 200")


@pytest.mark.parametrize("portal", ["192.168.1.1", "100.64.0.1", "198.18.0.9"])
def test_a_network_that_wants_a_login_first_is_named_and_not_dialled(
    program: Program, workspace: Workspace, name_server: NameServer, services: Services, portal: str
) -> None:
    program.set(Policy(rules=(*POLICY.rules, OTHER)))
    name_server.records = {"open.example": [portal], "other.example": [portal]}
    first, second = connect(workspace), connect(workspace, "other.example")
    assert first.startswith("HTTP/1.1 403") and f"{portal} is " in first
    assert second.startswith("HTTP/1.1 403") and "a network that wants a login first" in second
    assert "login" not in first, "one name alone says nothing of a network"
    assert workspace.say_to("open.example", 80, GET).startswith("HTTP/1.1 403")
    assert services.heads == []
    name_server.records = {"open.example": [INTERNET]}
    until_it_works(workspace)


def test_a_route_that_goes_and_comes_back_as_with_a_vpn(
    program: Program, workspace: Workspace, namespaces: Namespaces, name_server: NameServer,
    services: Services,
) -> None:  # fmt: skip
    name_server.records["far.example"] = [FAR]
    program.set(Policy(rules=(*POLICY.rules, Rule(pattern("far.example"), (7,)))))
    address = workspace.address("far.example")
    ip(namespaces.internet, "addr", "add", f"{FAR}/32", "dev", "outer")
    services.serve(7, echo, FAR)
    try:
        assert connect(workspace, "far.example").startswith("HTTP/1.1 200")
        ip(namespaces.internet, "addr", "del", f"{FAR}/32", "dev", "outer")
        # The host, which is the router, has no way there any more.
        ip(namespaces.internet, "route", "add", "unreachable", f"{FAR}/32")
        answer = connect(workspace, "far.example")
        assert answer.startswith("HTTP/1.1 502")
        assert f"{FAR}: " in answer and "nothing answers there" in answer
        assert workspace.say(FAR, 7, b"x") == "unreachable", "nothing goes round the gateway"
    finally:
        ip(namespaces.internet, "route", "del", "unreachable", f"{FAR}/32")
        ip(namespaces.internet, "addr", "add", f"{FAR}/32", "dev", "outer")
    try:
        assert connect(workspace, "far.example").startswith("HTTP/1.1 200")
        assert workspace.address("far.example") == address
    finally:
        ip(namespaces.internet, "addr", "del", f"{FAR}/32", "dev", "outer")


def test_a_name_with_ipv6_alone_is_said_where_there_is_no_way_out_by_it(
    program: Program, workspace: Workspace, name_server: NameServer
) -> None:
    name_server.records["open.example"] = [INTERNET_6]
    program.set(POLICY)
    answer = connect(workspace)
    assert answer.startswith("HTTP/1.1 502")
    assert "it has IPv6 addresses alone, and this gateway goes out by IPv4" in answer
    name_server.records["open.example"] = [INTERNET]
    until_it_works(workspace)


def test_the_first_line_of_the_answer_says_why_and_the_last_what_to_do(
    program: Program, workspace: Workspace, name_server: NameServer
) -> None:
    """Most programs show no more than the first line, and nobody outside knows the name of the proxy."""
    name_server.records["open.example"] = [INTERNET]
    program.set(Policy(rules=(Rule(pattern("open.example"), (9,)),)))
    first, _, body = workspace.connect("open.example:9").partition("\r\n")
    assert first.startswith("HTTP/1.1 502 allowed, but nothing answers there")
    assert first.endswith(f"{INTERNET}: Connection refused")
    assert "the network of the container engine" in body and "`network_proxy`" in body


def test_a_connection_that_is_reset_before_an_answer_is_in_the_log(
    program: Program, workspace: Workspace, name_server: NameServer, services: Services
) -> None:
    """As networks do that read for whom TLS is."""

    def cut(client: socket.socket) -> None:
        client.recv(100)
        client.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))

    name_server.records["open.example"] = [INTERNET]
    program.set(Policy(rules=(Rule(pattern("open.example"), (11,)),)))
    services.serve(11, cut)
    workspace.say_to("open.example", 11, b"hello")
    attempt = program.denied("open.example", "unreachable")
    assert attempt["detail"] == f"{INTERNET}: the connection was reset before an answer came"
