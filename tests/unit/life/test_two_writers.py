"""Two who write to one gateway at once: the engine passes long lines on in pieces, and mixes those of several writers."""

from __future__ import annotations

import contextlib
import select
import socket
import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import AbstractContextManager
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from sandboxd import deadline
from sandboxd.egress.gateway import commands
from sandboxd.egress.gateway.commands import NotACommand, SetPolicy
from sandboxd.egress.names import pattern
from sandboxd.egress.policy import Policy, Rule
from sandboxd.errors import EnvironmentFailure
from sandboxd.life import lock
from sandboxd.life.gateway import set_policy
from sandboxd.life.gateway_channel import attach
from sandboxd.policy.gateway_rights import GatewayRights
from tests.patience import PATIENCE
from tests.unit.life.test_gateway_channel import frame, line

PIECE = 32 << 10
"""Bytes that an engine passes on at once."""


class Played:
    """An engine to which writers are attached, and the gateway behind it.

    It takes a piece of each writer who has sent something, one after another, as engines do.
    """

    def __init__(self) -> None:
        self.policies: list[int] = []
        self.mixed: list[str] = []
        self._ends: list[socket.socket] = []
        self._line = b""
        self._first_piece = threading.Event()
        self._stop, self._stopped = socket.socketpair()
        self._thread = threading.Thread(target=self._serve)

    def is_podman(self) -> bool:
        return False

    def attach(self, _container: str) -> tuple[socket.socket, bytes]:
        ours, theirs = socket.socketpair()
        self._ends.append(theirs)
        return ours, b""

    def start(self) -> None:
        self._thread.start()

    def wait_for_first_piece(self) -> None:
        assert self._first_piece.wait(PATIENCE)

    def close(self) -> None:
        self._stop.close()
        if self._thread.ident is not None:
            self._thread.join(PATIENCE)
        for end in (*self._ends, self._stopped):
            end.close()

    def _serve(self) -> None:
        while True:
            readable, _, _ = select.select([*self._ends, self._stopped], [], [])
            if self._stopped in readable:
                return
            for end in readable:
                try:
                    self._take(end.recv(PIECE))
                except ConnectionResetError:  # it has its answer, and has left
                    self._ends.remove(end)
                if not self._first_piece.is_set():
                    self._first_piece.set()
                    # The second writer sends in this time, unless it waits for the first to be answered.
                    select.select([each for each in self._ends if each is not end], [], [], 0.5)

    def _take(self, data: bytes) -> None:
        *whole, self._line = (self._line + data).split(b"\n")
        for text in filter(None, whole):
            answer = frame(self._follow(text))
            for end in self._ends:
                with contextlib.suppress(OSError):  # it has all that it waits for
                    end.sendall(answer)

    def _follow(self, text: bytes) -> str:
        try:
            command = commands.read(text)
        except NotACommand as error:
            self.mixed.append(str(error))
            return line(event="refused", op=error.op, version=error.version, why=str(error))
        assert isinstance(command, SetPolicy)
        self.policies.append(command.policy.version)
        return line(event="policy", version=command.policy.version, ports=[])


@pytest.fixture
def engine(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Any]:
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path))
    monkeypatch.setattr(lock, "_TURN_SECONDS", PATIENCE)
    played = Played()
    yield played
    played.close()


def large(version: int) -> GatewayRights:
    """Rights whose line is longer than what an engine passes on at once."""
    names = (f"host-{number:05}.of-{version}.example" for number in range(3000))
    rules = tuple(Rule(pattern(name), (443,), source="test") for name in names)
    return GatewayRights(Policy(version, rules))


def test_two_large_policies_at_once_arrive_one_after_the_other(engine: Any) -> None:
    writers = [attach(engine, "c1", "/w") for _ in range(2)]
    engine.start()
    with ThreadPoolExecutor(2) as threads:
        first = threads.submit(set_policy, writers[0], large(1), False)
        engine.wait_for_first_piece()
        second = threads.submit(set_policy, writers[1], large(2), False)
        assert first.result(PATIENCE)["version"] == 1
        assert second.result(PATIENCE)["version"] == 2
    assert engine.mixed == []
    assert engine.policies == [1, 2]
    for writer in writers:
        writer.close()


def test_what_arrives_mixed_with_the_line_of_a_killed_writer_is_sent_again(engine: Any) -> None:
    killed, _ = engine.attach("c1")
    killed.sendall(b'\n{"op":"policy","policy":"' + b"x" * PIECE)
    writer = attach(engine, "c1", "/w")
    engine.start()
    engine.wait_for_first_piece()
    assert set_policy(writer, large(1), False)["version"] == 1
    assert engine.mixed, "the test shows nothing"
    assert engine.policies == [1]
    killed.close()
    writer.close()


def test_a_gateway_that_can_read_nothing_is_said(
    engine: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(_line: bytes) -> None:
        raise NotACommand("not a line of JSON")

    monkeypatch.setattr(commands, "read", refuse)
    with attach(engine, "c1", "/w") as writer:
        engine.start()
        with pytest.raises(EnvironmentFailure, match="cannot read what it is told"):
            set_policy(writer, large(1), False)
    assert len(engine.mixed) == 3


def test_a_writer_that_does_not_end_is_an_error_and_no_wait_for_ever(
    engine: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(lock, "_TURN_SECONDS", 0.1)
    taken = pytest.raises(EnvironmentFailure, match="another sandboxd has spoken with the gateway")
    with attach(engine, "c1", "/w") as writer, lock.gateway_turn("c1"), taken:
        set_policy(writer, large(1), False)
    assert engine.policies == []


def test_whoever_waits_for_the_rights_of_a_sandbox_gives_up(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    taken = pytest.raises(EnvironmentFailure, match="another sandboxd has given this sandbox")
    with lock.rights_lock({}, "/w"):
        with lock.rights_lock({}, "/another"):
            pass
        monkeypatch.setattr(lock, "_RIGHTS_SECONDS", 0.0)
        with taken, lock.rights_lock({}, "/w"):
            pass


@pytest.mark.parametrize("of_network", [False, True])
def test_a_start_waits_for_longer_than_who_takes_back_and_says_so(
    monkeypatch: pytest.MonkeyPatch, of_network: bool
) -> None:
    """Another start holds the rights of a sandbox until its gateway answers."""
    monkeypatch.setattr(lock, "_RIGHTS_SECONDS", 0.0)
    said: list[str] = []

    def take() -> AbstractContextManager[None]:
        return lock.network_rights_lock("n1") if of_network else lock.rights_lock({}, "/w")

    with contextlib.ExitStack() as holder:
        holder.enter_context(take())

        def waiting(message: str) -> None:
            said.append(message)
            with pytest.raises(EnvironmentFailure, match="another sandboxd has given"), take():
                pass
            # Only after its first look: there it would get a lock that is free by then in any case.
            ends = SimpleNamespace(sleep=lambda _seconds: holder.close())
            monkeypatch.setattr(lock, "time", ends)

        for _ in range(2):
            with lock.rights_lock({}, "/w", "n1", waiting):
                pass
    assert len(said) == 1 and said[0].endswith("waiting for it")


@pytest.mark.parametrize("of_network", [False, True])
def test_nobody_who_takes_back_waits_for_a_start_that_waits(
    monkeypatch: pytest.MonkeyPatch, of_network: bool
) -> None:
    """It holds neither lock while another process has the other one: that may last for a minute."""
    monkeypatch.setattr(lock, "_RIGHTS_SECONDS", 0.0)
    both = (lambda: lock.network_rights_lock("n1"), lambda: lock.rights_lock({}, "/w"))
    held, free = both if of_network else reversed(both)
    looks: list[str] = []
    with contextlib.ExitStack() as holder:
        holder.enter_context(held())

        def sleep(_seconds: float) -> None:
            with free():
                looks.append("free")
            holder.close()

        with monkeypatch.context() as patched:
            patched.setattr(lock, "time", SimpleNamespace(sleep=sleep))
            start = holder.enter_context(contextlib.ExitStack())
            start.enter_context(lock.rights_lock({}, "/w", "n1", lambda _message: None))
        for take in both:
            with pytest.raises(EnvironmentFailure), take():
                pass
        start.close()
    assert looks == ["free"]


def test_a_lock_that_became_free_while_the_machine_stood_still_is_taken(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    times = iter((0.0, 0.0, 100.0))
    with contextlib.ExitStack() as holder:
        holder.enter_context(lock.rights_lock({}, "/w"))
        stands_still = SimpleNamespace(
            monotonic=lambda: next(times), sleep=lambda _seconds: holder.close()
        )
        for module in (lock, deadline):
            monkeypatch.setattr(module, "time", stands_still)
        with lock.rights_lock({}, "/w"):
            pass
