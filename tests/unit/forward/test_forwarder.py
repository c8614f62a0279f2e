"""Ports stay open whatever the relay in the sandbox sends: it is told, and another relay is started."""

from __future__ import annotations

import contextlib
import socket
import threading
from collections.abc import Iterator
from typing import Any

import pytest

from sandboxd.errors import EnvironmentFailure
from sandboxd.forward import forwarder as module
from sandboxd.forward.forwarder import Forwarded, Forwarder
from sandboxd.inside.frames import OPEN, READY, pack
from tests.patience import PATIENCE, eventually
from tests.unit.forward.streams import Trunk

LIE = pack(6, 1, b"x")


class Sandbox:
    """Relays that say what they were told to, one after the other; the last one for good."""

    def __init__(self, *sayings: bytes) -> None:
        self._sayings = list(sayings)
        self.streams: list[socket.socket] = []

    def open(self, *_: object) -> Any:
        here, there = socket.socketpair()
        there.settimeout(PATIENCE)
        self.streams.append(there)
        there.sendall(self._sayings.pop(0) if len(self._sayings) > 1 else self._sayings[0])
        return Trunk(here)


@pytest.fixture
def listener() -> Iterator[socket.socket]:
    with socket.create_server(("127.0.0.1", 0)) as entry:
        yield entry


@contextlib.contextmanager
def forwarding(sandbox: Sandbox, listener: socket.socket, told: list[str]) -> Iterator[Forwarder]:
    forwarder = Forwarder(sandbox.open, lambda: "id", [Forwarded(listener, 80)], told.append)
    thread = threading.Thread(target=forwarder.run, daemon=True)
    thread.start()
    yield forwarder
    forwarder.stop()
    thread.join(PATIENCE)
    assert not thread.is_alive()
    forwarder.close()
    for stream in sandbox.streams:
        stream.close()


@pytest.fixture(autouse=True)
def short_pauses(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "_FIRST_PAUSE_SECONDS", 0.01)


def test_a_lie_is_told_and_connections_get_the_next_relay(
    monkeypatch: pytest.MonkeyPatch, listener: socket.socket
) -> None:
    sandbox, told, problems = Sandbox(pack(READY, 0)), list[str](), list[str]()

    class Told(list[str]):
        def append(self, text: str) -> None:
            problems.append(forwarder.problem)
            told.append(text)

    with forwarding(sandbox, listener, Told()) as forwarder:
        address = listener.getsockname()
        with socket.create_connection(address, PATIENCE) as first:
            eventually(lambda: sandbox.streams)
            assert sandbox.streams[0].recv(100) == pack(OPEN, 1, b"80")
            sandbox.streams[0].sendall(LIE)
            assert first.recv(1) == b""
        eventually(lambda: len(told) == 2)
        assert told == [
            "the relay in the sandbox breaks its protocol: it sent a frame of a wrong size; "
            "connections wait until it is started again",
            "the sandbox is back: its ports are forwarded again",
        ]
        assert [bool(problem) for problem in problems] == [True, False], "who hears it may look"
        with socket.create_connection(address, PATIENCE):
            assert sandbox.streams[1].recv(100) == pack(OPEN, 1, b"80")


def test_the_problem_is_there_until_a_relay_carries_again(
    monkeypatch: pytest.MonkeyPatch, listener: socket.socket
) -> None:
    sandbox, told = Sandbox(pack(READY, 0), pack(READY, 0) + LIE), list[str]()
    with forwarding(sandbox, listener, told) as forwarder:
        # A lie of a relay that never carried anything ends it.
        eventually(lambda: forwarder._has_worked)
        sandbox.streams[0].sendall(LIE)
        eventually(lambda: len(sandbox.streams) > 2)
        assert forwarder.problem.startswith("the relay in the sandbox breaks its protocol")
        assert not any("back" in line for line in told)


def test_each_pause_after_a_lie_is_longer_up_to_a_bound(
    monkeypatch: pytest.MonkeyPatch, listener: socket.socket
) -> None:
    sandbox, pauses = Sandbox(pack(READY, 0), LIE), list[float]()

    def pause(_read: object, _write: object, _errors: object, seconds: float) -> None:
        pauses.append(seconds)
        if len(pauses) == 12:
            forwarder.stop()

    monkeypatch.setattr(module.select, "select", pause)
    told: list[str] = []

    def tell(text: str) -> None:
        told.append(text)

    forwarder = Forwarder(sandbox.open, lambda: "id", [Forwarded(listener, 80)], tell)
    runner = threading.Thread(target=forwarder.run, daemon=True)
    runner.start()
    eventually(lambda: forwarder._has_worked)
    sandbox.streams[0].sendall(LIE)
    runner.join(PATIENCE)
    assert not runner.is_alive()
    forwarder.close()
    assert pauses == sorted(pauses) and pauses[-1] == 0.01 * 2**11
    for stream in sandbox.streams:
        stream.close()


def test_a_relay_that_never_began_ends_it_in_words(
    monkeypatch: pytest.MonkeyPatch, listener: socket.socket
) -> None:
    sandbox = Sandbox(b"Welcome to this shell, its banner is long enough")
    forwarder = Forwarder(sandbox.open, lambda: "id", [Forwarded(listener, 80)], print)
    with pytest.raises(EnvironmentFailure, match="breaks its protocol: it sent a frame of an unk"):
        forwarder.run()
    forwarder.close()
