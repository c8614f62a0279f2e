"""The host's end of a gateway: policies and rules that end, events, and what it says of itself."""

from __future__ import annotations

import contextlib
import json
import socket
import subprocess
import time
from pathlib import Path

import pytest

from sandboxd.egress.gateway import dns
from sandboxd.egress.names import pattern
from sandboxd.egress.policy import Policy, Rule
from sandboxd.egress.wire import policy_to_json
from tests.integration.egress.internet import NameServer, Services
from tests.integration.egress.namespaces import (
    INTERNET,
    PLACE,
    Namespaces,
)
from tests.integration.egress.program import Program
from tests.integration.egress.workspace import (
    GET,
    OPEN,
    POLICY,
    Workspace,
    closes,
    goes_on,
    receive,
)
from tests.patience import eventually


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
        b'{"op":"events","after":"x","mark":""}',
        b'{"op":"events","after":0,"mark":7}',
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
              "once": "", "needs_sni": False}  # fmt: skip
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


def test_a_rule_for_one_connection_is_used_up_by_it(program: Program, workspace: Workspace) -> None:
    once = Rule(pattern("open.example"), (7, 80), once="1", source="approval")
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
    program.set(Policy(rules=(Rule(pattern("open.example"), (80,), once="1"),)))
    with workspace.direct("open.example", 80) as sock:
        sock.sendall(GET + GET)
        assert receive(sock, b"HTTP/1.1 403").startswith(b"HTTP/1.1 200")


def test_a_connection_that_fails_does_not_use_it_up(
    program: Program, workspace: Workspace, name_server: NameServer
) -> None:
    program.set(Policy(rules=(Rule(pattern("open.example"), (81, 7), once="1"),)))
    assert workspace.connect("open.example:81").startswith("HTTP/1.1 502")
    assert workspace.connect("open.example:7").startswith("HTTP/1.1 200")


def test_a_rule_ends_by_itself(program: Program, workspace: Workspace) -> None:
    with short_permission(program, workspace, "open.example")[0] as sock:
        eventually(lambda: workspace.connect("open.example:7").startswith("HTTP/1.1 403"))
        assert closes(sock)
    program.denied("open.example", "expired")


def test_a_connection_outlives_its_rule_where_another_one_allows_it(
    program: Program, workspace: Workspace, name_server: NameServer
) -> None:
    name_server.records["short.example"] = [INTERNET]
    both = short_permission(program, workspace, "open.example", "short.example", then=OPEN)
    with both[0] as sock, both[1] as other:
        assert closes(other)
        assert goes_on(sock)


def short_permission(
    program: Program, workspace: Workspace, *names: str, then: Rule | None = None
) -> list[socket.socket]:
    """A connection to each name, by rules that end soon: as soon as this machine can connect before.

    :param then: a rule that is in force, too, before the others end
    """
    for seconds in (2, 10, 50):
        end = time.time() + seconds
        short = OPEN._replace(until=end, source="approval")
        rules = tuple(short._replace(pattern=pattern(name)) for name in names)
        program.set(Policy(rules=rules))
        socks: list[socket.socket] = []
        with contextlib.suppress(OSError, AssertionError):
            for name in names:
                socks.append(workspace.direct(name, 7))
            if all(goes_on(sock) for sock in socks):
                program.set(Policy(rules=(*rules, then) if then else rules))
                if time.time() < end:
                    return socks
        for sock in socks:
            sock.close()
    raise AssertionError("no connection within 50 s")


def test_events_are_sent_again_by_number(program: Program, workspace: Workspace) -> None:
    program.set(POLICY)
    workspace.lookup("denied.example")
    denied = program.denied("denied.example", "no-rule")
    count = len(program.events)
    program.send({"op": "events", "after": denied["seq"] - 1, "mark": "of a reader"})
    eventually(lambda: denied in program.events[count:], lambda: program.events[count:])


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
            # The kernel may still hold that nobody answered before: a later look sees the answer.
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
