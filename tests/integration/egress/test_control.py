"""The host's end of a gateway: policies, events, questions; and what it does when little is left."""

from __future__ import annotations

import contextlib
import json
import socket
import subprocess
import threading
import time
from pathlib import Path

import pytest

from sandboxd.egress.gateway import dns
from sandboxd.egress.names import pattern
from sandboxd.egress.policy import Policy, Rule, Upstream
from sandboxd.egress.wire import policy_to_json
from tests.integration.egress.internet import NameServer, Services
from tests.integration.egress.namespaces import (
    INTERNET,
    INTERNET_6,
    MORE_INTERNET,
    PLACE,
    Namespaces,
)
from tests.integration.egress.program import Program
from tests.integration.egress.workspace import Workspace, receive, tls

OPEN = Rule(pattern("open.example"), (7, 22, 80, 443, 9000, 9001), source="tests")
POLICY = Policy(rules=(OPEN,))
GET = b"GET / HTTP/1.1\r\nHost: open.example\r\n\r\n"


@pytest.fixture
def workspace(program: Program, namespaces: Namespaces) -> Workspace:
    return Workspace(namespaces)


def goes_on(sock: socket.socket) -> bool:
    """Whether an echo still comes back."""
    try:
        sock.sendall(b"x")
        return sock.recv(10) == b"x"
    except ConnectionError:
        return False


# -- policies


def test_nothing_is_let_through_before_the_first_policy(
    program: Program, workspace: Workspace
) -> None:
    assert workspace.lookup("open.example") == (dns.NO_SUCH_NAME, ())
    assert workspace.connect("open.example:7").startswith("HTTP/1.1 403")


def test_a_new_policy_leaves_connections_alone_and_cut_ends_them(
    program: Program, workspace: Workspace
) -> None:
    program.set(POLICY)
    address = workspace.address("open.example")
    with workspace.tcp(address, 7) as sock, workspace.tunnel("open.example:7") as tunnel:
        program.set(Policy())
        assert goes_on(sock) and goes_on(tunnel)
        assert workspace.say(address, 7, b"x") == "refused"
        program.set(Policy(), cut=True)
        assert not goes_on(sock) and not goes_on(tunnel)


def test_cut_leaves_what_the_policy_still_allows(program: Program, workspace: Workspace) -> None:
    program.set(POLICY)
    with workspace.direct("open.example", 7) as sock:
        program.set(Policy(rules=(OPEN, Rule(pattern("more.example"), (7,)))), cut=True)
        assert goes_on(sock)


@pytest.mark.parametrize(
    "line",
    [
        b"{",
        b"[]",
        b'{"op":"policy"}',
        b'{"op":"policy","policy":{"version":3},"cut":false}',
        json.dumps({"op": "policy", "policy": policy_to_json(POLICY), "cut": 1}).encode(),
        b"[" * 100_000,
        b"x" * (9 << 20),
    ],
)
def test_a_policy_that_cannot_be_read_closes_everything(
    program: Program, workspace: Workspace, line: bytes
) -> None:
    program.set(POLICY)
    with workspace.direct("open.example", 7) as sock:
        assert goes_on(sock)
        program.send_line(line)
        program.wait(lambda event: event["event"] == "refused")
        assert not goes_on(sock)
    assert workspace.lookup("open.example") == (dns.NO_SUCH_NAME, ())
    program.set(POLICY)
    with workspace.direct("open.example", 7) as sock:
        assert goes_on(sock)


def test_a_command_that_is_no_policy_closes_nothing(program: Program, workspace: Workspace) -> None:
    program.set(POLICY)
    for line in (
        b'{"op":"dance"}',
        b'{"op":"events","after":"x"}',
        b'{"op":"answer","id":9,"why":""}',
    ):
        after = program.last
        program.send_line(line)
        program.wait(lambda event: event["event"] == "refused", after)
    assert workspace.connect("open.example:7").startswith("HTTP/1.1 200")


def test_thousands_of_rules_are_taken_up_beside_open_connections(
    program: Program, workspace: Workspace
) -> None:
    program.set(POLICY)
    many = tuple(Rule(pattern(f"host{number}.example"), (443,)) for number in range(2000))
    with workspace.direct("open.example", 7) as sock:
        for _ in range(3):
            program.set(Policy(rules=(OPEN, *many)))
            assert goes_on(sock)
    assert workspace.lookup("host1999.example").addresses


def test_addresses_of_before_are_kept_after_a_restart(
    namespaces: Namespaces, name_server: NameServer, services: Services, tmp_path: Path
) -> None:
    workspace = Workspace(namespaces)
    name_server.records = {"open.example": [INTERNET]}
    for _ in range(2):
        running = Program(namespaces, tmp_path)
        try:
            running.set(Policy(rules=(OPEN,), addresses=(("open.example", "198.18.17.7"),)))
            assert workspace.address("open.example") == "198.18.17.7"
            assert not any(event["event"] == "assigned" for event in running.events)
            assert workspace.say("198.18.17.7", 80, GET).startswith("HTTP/1.1 200")
        finally:
            running.close()


def test_a_name_gets_its_address_once_and_the_host_learns_it(
    program: Program, workspace: Workspace
) -> None:
    program.set(POLICY)
    first = workspace.address("open.example")
    event = program.wait(lambda event: event["event"] == "assigned")
    assert (event["name"], event["address"]) == ("open.example", first)
    program.set(Policy())
    program.set(POLICY)
    assert workspace.address("open.example") == first


def test_the_end_of_standard_input_changes_nothing(program: Program, workspace: Workspace) -> None:
    program.set(POLICY)
    assert program.process.stdin is not None
    program.process.stdin.write(b'{"op":"policy","policy"')  # a daemon that died half way
    program.process.stdin.close()
    assert workspace.say_to("open.example", 80, GET).startswith("HTTP/1.1 200")


def test_a_killed_gateway_lets_nothing_through(program: Program, workspace: Workspace) -> None:
    program.set(POLICY)
    address = workspace.address("open.example")
    program.process.kill()
    program.process.wait()
    with pytest.raises(OSError):
        workspace.lookup("open.example", tcp=True)
    assert workspace.say(address, 80, GET) in ("refused", "unreachable", "silent")


def test_it_does_not_end_by_a_polite_signal(program: Program, workspace: Workspace) -> None:
    for _ in range(3):
        program.process.terminate()
    assert program.set(POLICY)["event"] == "policy"
    assert program.process.poll() is None


@pytest.mark.parametrize("text", ["*", "*.com", "*."])
def test_18_a_wildcard_that_is_too_wide_is_refused_when_it_is_read(
    program: Program, text: str
) -> None:
    fields = {"pattern": text, "ports": [443], "private": False, "source": "", "until": 0,
              "once": False, "needs_sni": False}  # fmt: skip
    empty = {"denied": [], "canaries": [], "services": [], "forbidden": [], "addresses": []}
    policy = {"version": 5, "rules": [fields], "upstream": None, **empty}
    program.send({"op": "policy", "policy": policy, "cut": False})
    assert program.wait(lambda event: event["event"] == "refused")["version"] == 5


def test_21_a_verdict_is_not_remembered(program: Program, workspace: Workspace) -> None:
    program.set(Policy(rules=(Rule(pattern("open.example"), (80,)),)))
    with workspace.direct("open.example", 80) as sock:
        sock.sendall(GET)
        assert b"200" in receive(sock, b"/ HTTP/1.1")
        program.set(Policy())
        sock.sendall(GET)
        assert sock.recv(100).startswith(b"HTTP/1.1 403")


# -- rules that end


def test_a_rule_for_one_connection_is_used_up_by_it(program: Program, workspace: Workspace) -> None:
    once = Rule(pattern("open.example"), (7, 80), once=True, source="approval")
    program.set(Policy(rules=(once,)))
    address = workspace.address("open.example")
    with workspace.tcp(address, 7) as sock:
        assert goes_on(sock)
        used = program.wait(lambda event: event["event"] == "used")
        assert (used["name"], used["port"]) == ("open.example", 7)
        assert workspace.say(address, 7, b"x") == "refused"
        assert workspace.connect("open.example:7").startswith("HTTP/1.1 403")
        program.set(Policy(rules=(once,)), cut=True)  # the host has not yet taken it out
        assert goes_on(sock)
        assert workspace.say(address, 7, b"x") == "refused"


def test_one_request_uses_it_up_for_http(program: Program, workspace: Workspace) -> None:
    program.set(Policy(rules=(Rule(pattern("open.example"), (80,), once=True),)))
    answer = workspace.say_to("open.example", 80, GET + GET)
    assert answer.startswith("HTTP/1.1 200") and "HTTP/1.1 403" in answer


def test_a_connection_that_fails_does_not_use_it_up(
    program: Program, workspace: Workspace, name_server: NameServer
) -> None:
    program.set(Policy(rules=(Rule(pattern("open.example"), (81, 7), once=True),)))
    assert workspace.connect("open.example:81").startswith("HTTP/1.1 502")
    assert workspace.connect("open.example:7").startswith("HTTP/1.1 200")


def test_a_rule_ends_by_itself(program: Program, workspace: Workspace) -> None:
    program.set(Policy(rules=(OPEN._replace(until=time.time() + 1.0),)))
    with workspace.direct("open.example", 7) as sock:
        deadline = time.monotonic() + 20
        while not workspace.connect("open.example:7").startswith("HTTP/1.1 403"):
            assert time.monotonic() < deadline
        assert goes_on(sock)
    program.denied("open.example", "expired")


# -- the way out


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
            sock.settimeout(30)
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


# -- what passes


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
        sock.settimeout(60)
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


# -- company proxies


def test_a_company_proxy_is_gone_through_by_the_checked_name(
    program: Program, workspace: Workspace, services: Services, name_server: NameServer
) -> None:
    heads: list[bytes] = []

    def company(client: socket.socket) -> None:
        head = b""
        while not head.endswith(b"\r\n\r\n"):
            head += client.recv(1)
        heads.append(head)
        if b"gone.example" in head:
            client.sendall(b"HTTP/1.1 504 no\r\n\r\n")
            return
        client.sendall(b"HTTP/1.1 200 yes\r\nX: y\r\n\r\nfirst")
        while data := client.recv(4096):
            client.sendall(data)

    services.serve(8081, company, MORE_INTERNET[0])
    upstream = Upstream(MORE_INTERNET[0], 8081, "me:pass word")
    rules = (OPEN, Rule(pattern("gone.example"), (443,)))
    program.set(Policy(rules=rules, upstream=upstream))
    with workspace.direct("open.example", 22) as sock:
        assert sock.recv(10) == b"first"
        assert goes_on(sock)
    assert heads[0].split(b"\r\n") == [
        b"CONNECT open.example:22 HTTP/1.1",
        b"Host: open.example:22",
        b"Proxy-Authorization: Basic bWU6cGFzcyB3b3Jk",
        b"",
        b"",
    ]
    assert "HTTP/1.1 502" in workspace.connect("gone.example:443")
    assert workspace.connect("denied.example:443").startswith("HTTP/1.1 403")
    assert len(heads) == 2 and name_server.asked == []
    assert "pass word" not in json.dumps(program.events)
    assert "bWU6" not in json.dumps(program.events)


# -- questions


def test_a_question_waits_until_a_policy_allows_it(program: Program, workspace: Workspace) -> None:
    answers: list[str] = []
    asker = threading.Thread(
        target=lambda: answers.append(workspace.ask("open.example", 7, wait=50))
    )
    asker.start()
    asked = program.wait(lambda event: event["event"] == "asked")
    assert (asked["name"], asked["port"], asked["why"]) == ("open.example", 7, "tests")
    program.set(Policy(rules=(Rule(pattern("open.example"), (443,)),)))
    assert answers == []
    program.set(POLICY)
    asker.join(20)
    assert answers == ["open"]
    assert workspace.connect("open.example:7").startswith("HTTP/1.1 200")


def test_a_person_says_no(program: Program, workspace: Workspace) -> None:
    answers: list[str] = []
    asker = threading.Thread(
        target=lambda: answers.append(workspace.ask("open.example", 7, wait=50))
    )
    asker.start()
    asked = program.wait(lambda event: event["event"] == "asked")
    program.send({"op": "answer", "id": asked["id"], "why": "not today"})
    asker.join(20)
    assert answers == ["denied not today"]
    assert workspace.ask("open.example", 7) == "denied not today"
    assert sum(event["event"] == "asked" for event in program.events) == 1


def test_what_cannot_be_approved_is_not_asked(program: Program, workspace: Workspace) -> None:
    program.set(Policy(denied=(pattern("no.example"),), canaries=("trap.example",)))
    for name in ("no.example", "trap.example", "127.0.0.1"):
        assert workspace.ask(name, 443).startswith("refused")
    program.denied("trap.example", "canary")
    assert not any(event["event"] == "asked" for event in program.events)


def test_questions_are_bounded(program: Program, workspace: Workspace) -> None:
    answers = [workspace.ask(f"n{number}.example", 443) for number in range(40)]
    assert answers[0].startswith("waiting") and answers[-1].startswith("refused too many")
    assert sum(event["event"] == "asked" for event in program.events) <= 12
    assert workspace.ask("n0.example", 443).startswith("waiting")


# -- little is left


def test_connections_are_bounded_by_the_files_that_it_may_open(
    namespaces: Namespaces, name_server: NameServer, services: Services, tmp_path: Path
) -> None:
    name_server.records = {"open.example": [INTERNET]}
    workspace, running = Workspace(namespaces), Program(namespaces, tmp_path, files=64)
    try:
        running.set(POLICY)
        address = workspace.address("open.example")
        socks = at_once(workspace, address, 70)
        event = running.wait(lambda event: event.get("reason") == "full")
        assert event["detail"] == "no more connections"
        assert sum(goes_on(sock) for sock in socks) == 16
        for sock in socks:
            sock.close()
        until_it_works(workspace)
    finally:
        running.close()


def test_without_any_file_left_it_refuses_and_recovers(
    namespaces: Namespaces, name_server: NameServer, services: Services, tmp_path: Path
) -> None:
    name_server.records = {"open.example": [INTERNET]}
    workspace, running = Workspace(namespaces), Program(namespaces, tmp_path, files=64)
    many = Rule(pattern("more.example"), tuple(range(10_000, 10_025)))
    try:
        running.set(Policy(rules=(OPEN, many)))
        address = workspace.address("open.example")
        with workspace.tcp(address, 7) as first:
            assert goes_on(first)
            socks = at_once(workspace, address, 70)
            running.wait(lambda event: event.get("reason") == "full")
            assert goes_on(first)
            for sock in socks:
                sock.close()
            until_it_works(workspace)
            assert goes_on(first)
            too_many = Rule(pattern("more.example"), tuple(range(10_000, 10_200)))
            assert running.set(Policy(rules=(OPEN, too_many)))["event"] == "refused"
            assert not goes_on(first)
        running.set(POLICY)
        until_it_works(workspace)
    finally:
        running.close()


def at_once(workspace: Workspace, address: str, count: int) -> list[socket.socket]:
    """Connections; those are missing that were refused even before they were there."""
    socks = []
    for _ in range(count):
        with contextlib.suppress(ConnectionResetError):
            socks.append(workspace.tcp(address, 7))
    return socks


def until_it_works(workspace: Workspace) -> None:
    deadline = time.monotonic() + 20
    while not workspace.connect("open.example:7").startswith("HTTP/1.1 200"):
        assert time.monotonic() < deadline


def test_slow_clients_hold_nobody_up(program: Program, workspace: Workspace) -> None:
    program.set(POLICY)
    slow = [
        workspace.tcp(PLACE.gateway, port) for port in (53, 1080, 3128, 3129) for _ in range(20)
    ]
    for sock in slow:
        sock.sendall(b"\5")
    assert workspace.connect("open.example:7").startswith("HTTP/1.1 200")
    for sock in slow:
        sock.close()


def test_a_flood_of_denied_names_is_counted_and_held_off(
    program: Program, workspace: Workspace, namespaces: Namespaces
) -> None:
    program.set(POLICY)
    program.send({"op": "state"})
    before = program.wait(lambda event: event["event"] == "state")
    with (
        workspace.direct("open.example", 7) as sock,
        namespaces.new_socket(namespaces.workspace, socket.SOCK_DGRAM) as udp,
    ):
        udp.connect((PLACE.gateway, 53))
        for number in range(60_000):
            try:
                udp.send(dns.query(number % 65536, f"n{number}.denied.example", dns.A))
            except OSError:
                continue
            if number % 10_000 == 0:
                assert goes_on(sock)
        assert goes_on(sock)
    lost = program.wait(lambda event: event["event"] == "lost", seconds=40)
    assert lost["count"] > 0
    after = program.last
    program.send({"op": "state"})
    state = program.wait(lambda event: event["event"] == "state", after)
    assert state["memory_kib"] - before["memory_kib"] < 4096
    assert len(program.events) < 2000


def test_a_reader_that_does_not_read_stops_nothing(
    program: Program, workspace: Workspace, namespaces: Namespaces
) -> None:
    program.set(POLICY)
    program.stop_reading()
    with namespaces.new_socket(namespaces.workspace, socket.SOCK_DGRAM) as udp:
        udp.connect((PLACE.gateway, 53))
        for _ in range(200):
            program.send({"op": "state"})
            program.send({"op": "events", "after": 0})
        with workspace.direct("open.example", 7) as sock:
            assert goes_on(sock)
    program.go_on_reading()
    program.wait(lambda event: event["event"] == "lost", seconds=30)


def test_events_are_sent_again_by_number(program: Program, workspace: Workspace) -> None:
    program.set(POLICY)
    workspace.lookup("denied.example")
    denied = program.denied("denied.example", "no-rule")
    count = len(program.events)
    program.send({"op": "events", "after": denied["seq"] - 1})
    deadline = time.monotonic() + 20
    while denied not in program.events[count:]:
        assert time.monotonic() < deadline


def test_it_says_that_the_host_is_not_on_the_inner_network(program: Program) -> None:
    assert program.wait(lambda event: event["event"] == "host")["answers"] is False


def test_it_says_that_the_host_is_there(
    namespaces: Namespaces, name_server: NameServer, tmp_path: Path
) -> None:
    address = ["ip", "-n", namespaces.workspace, "addr"]
    subprocess.run([*address, "add", f"{PLACE.host}/32", "dev", "inner"], check=True)
    try:
        running = Program(namespaces, tmp_path)
        try:
            running.wait(lambda event: event["event"] == "host" and event["answers"])
        finally:
            running.close()
    finally:
        subprocess.run([*address, "del", f"{PLACE.host}/32", "dev", "inner"], check=True)


def test_it_says_that_the_kernel_forwards(
    namespaces: Namespaces, name_server: NameServer, tmp_path: Path
) -> None:
    namespaces.sysctl(namespaces.gateway, "net/ipv4/ip_forward", "1")
    namespaces.sysctl(namespaces.gateway, "net/ipv6/conf/inner/disable_ipv6", "0")
    try:
        running = Program(namespaces, tmp_path)
        running.close()
        assert running.ready["ip_forward"] is True and running.ready["inner_ipv6"] is True
    finally:
        namespaces.sysctl(namespaces.gateway, "net/ipv4/ip_forward", "0")
        namespaces.sysctl(namespaces.gateway, "net/ipv6/conf/inner/disable_ipv6", "1")


def test_many_connections_at_once_are_carried_and_what_was_not_looked_at_is_counted(
    program: Program, workspace: Workspace
) -> None:
    program.set(POLICY)
    address = workspace.address("open.example")
    socks = [workspace.tcp(address, 7) for _ in range(300)]
    for sock in socks:
        sock.sendall(b"x")
    assert all(sock.recv(1) == b"x" for sock in socks)
    for sock in socks:
        sock.close()
    for _ in range(300):
        assert workspace.say(address, 8, b"") == "refused"
    program.wait(lambda event: event.get("door") == "port" and event["count"] > 1)
