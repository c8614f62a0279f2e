"""What passes a gateway, and by which ways: resolution, addresses, streams, HTTP."""

from __future__ import annotations

import socket
import subprocess
import threading
from pathlib import Path

import pytest

from sandboxd.egress.names import pattern
from sandboxd.egress.policy import Policy, Rule
from tests.integration.egress.internet import NameServer, Services
from tests.integration.egress.namespaces import (
    INTERNET,
    INTERNET_6,
    MORE_INTERNET,
    PLACE,
    Namespaces,
)
from tests.integration.egress.program import Program
from tests.integration.egress.workspace import POLICY, Workspace, goes_on, receive, tls


def test_an_address_that_does_not_answer_is_passed_over(
    program: Program, workspace: Workspace, name_server: NameServer
) -> None:
    name_server.records["open.example"] = [MORE_INTERNET[0], MORE_INTERNET[1], INTERNET]
    program.set(POLICY)
    assert workspace.connect("open.example:7").startswith("HTTP/1.1 200")


def test_ipv6_is_tried_after_ipv4(
    namespaces: Namespaces, name_server: NameServer, services: Services, tmp_path: Path
) -> None:
    namespaces.route_ipv6()
    services.serve(7007, services.http, INTERNET_6)
    name_server.records = {
        "six.example": [MORE_INTERNET[0], INTERNET_6],
        "mapped.example": ["::ffff:127.0.0.1", "64:ff9b::a9fe:a9fe", "fd00:ec2::254", "::1"],
    }
    workspace, running = Workspace(namespaces), Program(namespaces, tmp_path)
    try:
        rules = (Rule(pattern("six.example"), (7007,)), Rule(pattern("mapped.example"), (7007,), private=True))  # fmt: skip
        running.set(Policy(rules=rules))
        request = "GET http://six.example:7007/ HTTP/1.1\r\nHost: six.example:7007\r\n\r\n"
        assert workspace.proxy(request).startswith("HTTP/1.1 200")
        assert workspace.connect("mapped.example:7007").startswith("HTTP/1.1 403")
        running.denied("mapped.example", "address")
    finally:
        running.close()
        subprocess.run(
            ["ip", "-n", namespaces.gateway, "-6", "route", "del", "default"], check=True
        )


@pytest.mark.parametrize("records", [["TRUNCATE " + INTERNET], ["CNAME real.example"]])
def test_answers_by_tcp_and_by_an_alias(
    program: Program, workspace: Workspace, name_server: NameServer, records: list[str]
) -> None:
    name_server.records |= {"open.example": records, "real.example": [INTERNET]}
    program.set(POLICY)
    assert workspace.connect("open.example:7").startswith("HTTP/1.1 200")


def test_a_name_server_that_forgets_the_case_of_letters_is_understood(
    program: Program, workspace: Workspace, name_server: NameServer
) -> None:
    name_server.lower_case = True
    try:
        program.set(POLICY)
        with workspace.tcp(PLACE.gateway, 3128) as sock:
            sock.sendall(b"CONNECT open.example:7 HTTP/1.1\r\nHost: open.example:7\r\n\r\n")
            assert sock.recv(100).startswith(b"HTTP/1.1 200")
    finally:
        name_server.lower_case = False


def test_names_that_do_not_resolve_are_said_to(program: Program, workspace: Workspace) -> None:
    program.set(Policy(rules=(Rule(pattern("gone.example"), (443,)),)))
    assert "does not resolve" in workspace.connect("gone.example:443")
    assert workspace.socks(b"gone.example", 443) == "code 4"
    program.denied("gone.example", "unresolved")


def test_a_port_that_nobody_serves_is_said_to(program: Program, workspace: Workspace) -> None:
    program.set(Policy(rules=(Rule(pattern("open.example"), (81,)),)))
    assert workspace.connect("open.example:81").startswith("HTTP/1.1 502")
    assert workspace.socks(b"open.example", 81) == "code 5"
    assert workspace.say_to("open.example", 81, b"x") == "closed"
    program.denied("open.example", "unreachable")


def test_a_server_that_speaks_first_is_heard(program: Program, workspace: Workspace) -> None:
    program.set(POLICY)
    for sock in (workspace.direct("open.example", 22), workspace.tunnel("open.example:22")):
        with sock:
            assert sock.recv(100) == b"SSH-2.0-internet\r\n"
            assert goes_on(sock)


def test_a_client_that_only_listens_hears_all(program: Program, workspace: Workspace) -> None:
    program.set(POLICY)
    with workspace.direct("open.example", 22) as sock:
        sock.shutdown(socket.SHUT_WR)
        assert receive(sock, b"internet\r\n") == b"SSH-2.0-internet\r\n"
        assert sock.recv(10) == b""


def test_a_slow_reader_gets_the_whole_of_the_last_response(
    program: Program, workspace: Workspace
) -> None:
    program.set(POLICY)
    with workspace.direct("open.example", 80) as sock:
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
        sock.sendall(b"GET /big HTTP/1.0\r\nHost: open.example\r\n\r\n")
        receive(sock, b"\r\n\r\n")
        program.wait(lambda event: event["event"] == "lost" or event.get("port") == 80)
        count = 0
        while data := sock.recv(30_000):
            count += len(data)
        assert count > (1 << 20) - 4096


def test_tls_passes_untouched_by_every_door(program: Program, workspace: Workspace) -> None:
    program.set(POLICY)
    assert tls(workspace.direct("open.example", 443), "open.example") == "sni=open.example"
    assert tls(workspace.tunnel("open.example:443"), "open.example") == "sni=open.example"


@pytest.mark.parametrize("size", [1, 1 << 16, 50_000_001])
def test_streams_of_any_size_arrive_whole(
    program: Program, workspace: Workspace, size: int
) -> None:
    program.set(POLICY)
    with workspace.direct("open.example", 9000) as sock:
        sock.sendall(b"%d" % size)
        count = 0
        while data := sock.recv(1 << 20):
            assert not data.strip(b"\0")
            count += len(data)
        assert count == size
    with workspace.tunnel("open.example:9001") as sock:
        sock.sendall(bytes(size))
        sock.shutdown(socket.SHUT_WR)
        assert sock.recv(100) == b"%d" % size


def test_data_is_not_mixed_up_when_both_ends_are_slow(
    program: Program, workspace: Workspace
) -> None:
    program.set(POLICY)
    data = b"".join(number.to_bytes(4, "big") for number in range(2_000_000))
    with workspace.direct("open.example", 7) as sock:
        writer = threading.Thread(target=sock.sendall, args=(data,))
        writer.start()
        back = bytearray()
        while len(back) < len(data):
            back += sock.recv(5000 if len(back) < 200_000 else 1 << 20)
        writer.join()
        assert back == data


@pytest.mark.parametrize(
    ("path", "end"),
    [("/", b"GET / HTTP/1.1"), ("/chunked", b"firstsecond"), ("/to-the-end", b"until it closes")],
)
def test_responses_of_each_length_arrive_whole(
    program: Program, workspace: Workspace, path: str, end: bytes
) -> None:
    program.set(POLICY)
    request = f"GET {path} HTTP/1.0\r\nHost: open.example\r\n\r\n".encode()
    assert workspace.say_to("open.example", 80, request).endswith(end.decode())


def test_bodies_of_requests_arrive_whole(
    program: Program, workspace: Workspace, services: Services
) -> None:
    program.set(POLICY)
    head = b"POST / HTTP/1.1\r\nHost: open.example\r\n"
    body = bytes(range(256)) * 2000
    assert workspace.say_to(
        "open.example", 80, head + b"Content-Length: %d\r\n\r\n" % len(body) + body
    ).startswith("HTTP/1.1 200")
    assert services.heads[-1] == b"body " + body
    chunked = head + b"Transfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n0\r\nTrailer: x\r\n\r\n"
    assert workspace.say_to("open.example", 80, chunked).startswith("HTTP/1.1 200")
    assert services.heads[-1] == b"body 3\r\nabc\r\n0\r\n\r\n"


def test_expect_100_continue_is_answered(program: Program, workspace: Workspace) -> None:
    program.set(POLICY)
    with workspace.direct("open.example", 80) as sock:
        sock.sendall(
            b"POST / HTTP/1.1\r\nHost: open.example\r\nExpect: 100-continue\r\n"
            b"Content-Length: 3\r\n\r\n"
        )
        assert sock.recv(100).startswith(b"HTTP/1.1 100")
        sock.sendall(b"abc")
        assert sock.recv(100).startswith(b"HTTP/1.1 200")


def test_a_websocket_passes(program: Program, workspace: Workspace) -> None:
    program.set(POLICY)
    with workspace.direct("open.example", 80) as sock:
        sock.sendall(
            b"GET /socket HTTP/1.1\r\nHost: open.example\r\nConnection: Upgrade\r\n"
            b"Upgrade: websocket\r\n\r\n"
        )
        data = b""
        while not data.endswith(b"hello"):
            data += sock.recv(1000)
        assert data.startswith(b"HTTP/1.1 101")
        assert goes_on(sock)
        program.set(Policy(), cut=True)
        assert not goes_on(sock)


def test_proxy_credentials_do_not_reach_the_origin(
    program: Program, workspace: Workspace, services: Services
) -> None:
    program.set(POLICY)
    workspace.proxy(
        "GET http://open.example/ HTTP/1.1\r\nHost: open.example\r\n"
        "Proxy-Authorization: Basic c2VjcmV0\r\nAuthorization: mine\r\n\r\n"
    )
    assert b"c2VjcmV0" not in services.heads[-1]
    assert b"authorization: mine" in services.heads[-1].lower()


def test_a_refusal_says_what_to_type_outside(program: Program, workspace: Workspace) -> None:
    answer = workspace.connect("denied.example:8443")
    assert "no rule names it" in answer
    assert "sandboxd egress allow denied.example:8443\n" in answer
    assert "egress allow" not in workspace.connect("127.0.0.1:80")
