"""The agent of a sandbox from end to end, with our end inside as a process beside this one."""

from __future__ import annotations

import os
import select
import socket
import subprocess
import sys
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from sandboxd.credentials.ssh_agent import wire
from sandboxd.credentials.ssh_agent.agent import read_message
from sandboxd.daemon import ssh_agent_server as server
from sandboxd.daemon.ssh_agent_server import Server
from sandboxd.errors import EnvironmentFailure, UsageError
from sandboxd.forward.trunk import program
from sandboxd.inside import agent_socket
from tests.patience import PATIENCE, eventually
from tests.unit.credentials.ssh_agent.clients import CHOSEN, StubAgent, choice, rights
from tests.unit.forward.streams import Trunk


class Sandbox:
    """Runs our end as the engine does: a command whose input and output are the stream."""

    def __init__(self, folder: Path) -> None:
        self.socket = folder / "inside"
        self.asked: list[str] = []
        """The containers that a stream was opened to."""
        self.commands: list[subprocess.Popen[bytes]] = []
        self.streams: list[Trunk] = []
        """They are held here: only who closes one lets its command go."""
        self.problem = ""
        self.faults: list[Exception] = []
        """What goes wrong at the next tries."""

    def open(self, _engine: object, container: str, _cache: object, end: Any) -> Trunk:
        self.asked.append(container)
        if self.faults:
            raise self.faults.pop()
        if self.problem:
            raise EnvironmentFailure(self.problem)
        text = program(end).replace(agent_socket.SOCKET, str(self.socket))
        ours, theirs = socket.socketpair()
        with theirs:
            command = [sys.executable, "-I", "-c", text]
            self.commands.append(subprocess.Popen(command, stdin=theirs, stdout=theirs))
        self.streams.append(Trunk(ours))
        return self.streams[-1]

    def ask(self) -> tuple[int, bytes] | None:
        """What a client inside is told of the keys, None where it has no agent."""
        with socket.socket(socket.AF_UNIX) as client:
            client.settimeout(PATIENCE)
            try:
                client.connect(str(self.socket))
                client.sendall(wire.message(wire.LIST, b""))
                return read_message(client)
            except (ConnectionError, FileNotFoundError):
                return None

    def close(self) -> None:
        for stream in self.streams:
            stream.close()
        for command in self.commands:
            assert command.wait(PATIENCE) is not None


@pytest.fixture
def sandbox(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Sandbox]:
    one = Sandbox(tmp_path)
    monkeypatch.setattr(server, "open_trunk", one.open)
    monkeypatch.setattr(server, "_FIRST_PAUSE_SECONDS", 0.01)
    yield one
    one.close()


class Running:
    """A server in its thread."""

    def __init__(self, agent: StubAgent) -> None:
        engine: Any = None
        self.server = Server(
            engine, choice(agent.path), rights("its container"), lambda _: None, None
        )
        self._thread = threading.Thread(target=self.server.run, daemon=True)
        self._thread.start()

    def stop(self) -> None:
        self.server.stop()
        self._thread.join(PATIENCE)
        assert not self._thread.is_alive()
        self.server.close()


@pytest.fixture
def agent(tmp_path: Path) -> Iterator[StubAgent]:
    stub = StubAgent(tmp_path)
    yield stub
    stub.close()


def test_a_client_inside_sees_the_chosen_keys(sandbox: Sandbox, agent: StubAgent) -> None:
    running = Running(agent)
    number, content = eventually(sandbox.ask)
    assert number == wire.IDENTITIES
    assert [each.key for each in wire.identities(content)] == [CHOSEN]
    assert sandbox.asked == ["its container"] and running.server.problem == ""
    running.stop()


def test_stopping_lets_the_command_inside_go(sandbox: Sandbox, agent: StubAgent) -> None:
    running = Running(agent)
    eventually(sandbox.ask)
    running.stop()
    (command,) = sandbox.commands
    # Its code is 1 where it had something to say at the same moment.
    assert command.wait(PATIENCE) in (0, 1)
    assert sandbox.ask() is None


def test_a_command_that_ends_is_started_again(sandbox: Sandbox, agent: StubAgent) -> None:
    running = Running(agent)
    eventually(sandbox.ask)
    sandbox.commands[0].kill()
    eventually(lambda: len(sandbox.commands) > 1 and sandbox.ask())
    assert running.server.problem == ""
    running.stop()


def test_why_there_is_no_agent_is_said_until_there_is_one(
    sandbox: Sandbox, agent: StubAgent
) -> None:
    sandbox.problem = "the image has no Python"
    running = Running(agent)
    eventually(lambda: running.server.problem == "the image has no Python")
    sandbox.problem = ""
    eventually(sandbox.ask)
    assert running.server.problem == ""
    running.stop()


def test_nothing_that_goes_wrong_ends_it(sandbox: Sandbox, agent: StubAgent) -> None:
    sandbox.faults = [
        *(RuntimeError("can't start new thread"), ValueError("no frame"), UsageError("which?", "")),
    ]
    running = Running(agent)
    number, _ = eventually(sandbox.ask)
    assert (number, sandbox.faults, running.server.problem) == (wire.IDENTITIES, [], "")
    running.stop()


def test_a_stop_after_its_end_reaches_no_other_connection(agent: StubAgent) -> None:
    engine: Any = None
    ended = Server(engine, choice(agent.path), rights(), lambda _: None, None)
    freed = {ended._wake, ended._waker}
    ended.close()
    others: list[tuple[int, int]] = []
    try:
        # The lowest numbers that are free are taken first, and others than these may be.
        while not freed <= {descriptor for pair in others for descriptor in pair}:
            assert len(others) < 200, "something else has them now"
            others.append(os.pipe())
        ended.stop()
        ended.close()
        assert select.select([reader for reader, _ in others], [], [], 0)[0] == []
        # Each is still open.
        for _, writer in others:
            assert os.write(writer, b"x") == 1
    finally:
        for pair in others:
            for descriptor in pair:
                os.close(descriptor)


def test_clients_that_could_not_be_served_take_no_place(
    agent: StubAgent, monkeypatch: pytest.MonkeyPatch
) -> None:
    engine: Any = None
    own = Server(engine, choice(agent.path), rights(), lambda _: None, None)

    def no_thread(_self: object) -> None:
        raise RuntimeError("can't start new thread")

    with monkeypatch.context() as patch:
        patch.setattr(threading.Thread, "start", no_thread)
        for _ in range(server._MOST_CLIENTS + 1):
            with pytest.raises(OSError, match="can't start new thread"):
                own._dial("")
    clients = [own._dial("") for _ in range(server._MOST_CLIENTS)]
    with pytest.raises(OSError, match="too many clients"):
        own._dial("")
    for client in clients:
        client.close()
    own.close()
