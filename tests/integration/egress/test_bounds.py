"""A gateway of which too much is wanted refuses, says so, and goes on."""

from __future__ import annotations

import contextlib
import socket
import threading
import time
from itertools import count
from pathlib import Path
from typing import Any, cast

from sandboxd.egress.gateway import dns
from sandboxd.egress.gateway.journal import ALIKE
from sandboxd.egress.ledger import Ledger
from sandboxd.egress.names import pattern
from sandboxd.egress.policy import Policy, Rule
from tests.integration.egress.internet import NameServer, Services
from tests.integration.egress.namespaces import (
    INTERNET,
    PLACE,
    Namespaces,
)
from tests.integration.egress.program import Program
from tests.integration.egress.workspace import OPEN, POLICY, Workspace, goes_on
from tests.patience import eventually


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
    begun = time.monotonic()
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
    lost = program.wait(lambda event: event["event"] == "lost")
    assert lost["count"] > 0
    after = program.last
    program.send({"op": "state"})
    state = program.wait(lambda event: event["event"] == "state", after)
    assert state["memory_kib"] - before["memory_kib"] < 4096
    # As many as are reported in a second, and how many more there were.
    seconds = time.monotonic() - begun + 2
    assert len(program.events) < (ALIKE + 1) * seconds + 20


def test_a_flood_of_denied_names_hides_no_tripwire_and_no_connection(
    program: Program, workspace: Workspace, namespaces: Namespaces
) -> None:
    program.set(POLICY._replace(canaries=("trap.example",)))
    is_over = threading.Event()
    flood = threading.Thread(target=_look_up_denied_names, args=(namespaces, is_over))
    flood.start()
    try:
        lost = program.wait(lambda event: event["event"] == "lost")
        eventually(lambda: _denied_after(program, lost["seq"]) >= ALIKE)
        assert workspace.connect("trap.example:443").startswith("HTTP/1.1 403")
        assert workspace.connect("open.example:7").startswith("HTTP/1.1 200")
        program.denied("trap.example", "canary")
        program.wait(lambda event: event["event"] == "reached")
        program.wait(lambda event: event["event"] == "lost", program.last)
    finally:
        is_over.set()
        flood.join()
    first = len(program.events)
    program.send({"op": "events", "after": 0, "mark": "again"})
    program.wait(lambda event: event.get("mark") == "again")
    ledger = Ledger()
    ledger.take(cast("Any", sorted(program.events[first:], key=lambda event: event["seq"])))
    assert {"trap.example", "open.example"} <= {line.name for line in ledger.lines()}
    totals = ledger.totals
    assert (totals.tripwires, totals.reached) == (1, 1)
    assert totals.lost > totals.lost_reached + totals.lost_tripwires == 0


def test_a_reader_that_does_not_read_stops_nothing(
    program: Program, workspace: Workspace, namespaces: Namespaces
) -> None:
    program.set(POLICY)
    program.stop_reading()
    with namespaces.new_socket(namespaces.workspace, socket.SOCK_DGRAM) as udp:
        udp.connect((PLACE.gateway, 53))
        for _ in range(200):
            program.send({"op": "state"})
            program.send({"op": "events", "after": 0, "mark": ""})
        with workspace.direct("open.example", 7) as sock:
            assert goes_on(sock)
    program.go_on_reading()
    program.wait(lambda event: event["event"] == "lost")


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


def at_once(workspace: Workspace, address: str, count: int) -> list[socket.socket]:
    """Connections; those are missing that were refused even before they were there."""
    socks = []
    for _ in range(count):
        with contextlib.suppress(ConnectionResetError):
            socks.append(workspace.tcp(address, 7))
    return socks


def until_it_works(workspace: Workspace) -> None:
    eventually(lambda: workspace.connect("open.example:7").startswith("HTTP/1.1 200"))


def _look_up_denied_names(namespaces: Namespaces, is_over: threading.Event) -> None:
    """Eighty different names each 50 ms, until `is_over`."""
    with namespaces.new_socket(namespaces.workspace, socket.SOCK_DGRAM) as udp:
        udp.connect((PLACE.gateway, 53))
        for number in count():
            with contextlib.suppress(OSError):
                udp.send(dns.query(number % 65536, f"n{number}.denied.example", dns.A))
            if number % 80 == 0 and is_over.wait(0.05):
                return


def _denied_after(program: Program, number: int) -> int:
    return sum(event["event"] == "denied" and event["seq"] > number for event in program.events)
