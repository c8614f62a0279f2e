"""An engine behind ssh: how `ssh` is started, that it holds our time limits, and its end."""

from __future__ import annotations

import json
import os
import socket
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from sandboxd.engine.address import parse
from sandboxd.engine.client import Engine
from sandboxd.engine.contexts import Identity, resolve
from sandboxd.engine.failures import EngineFailure, NoAnswer
from sandboxd.engine.ssh import command
from tests.patience import eventually
from tests.unit.engine.fake_engine import answering, raw, request

# Passes its streams on to a Unix socket, as `ssh HOST docker system dial-stdio` does.
SSH = """\
#!{python}
import json, os, socket, sys, threading
with open({log!r}, "a") as log:
    log.write(json.dumps([sys.argv[1:], os.environ.get("SSH_AUTH_SOCK"), os.getpid()]) + "\\n")
if os.path.exists({log!r} + ".refuse"):
    print("banner\\nme@far: Permission denied (publickey).", file=sys.stderr)
    sys.exit(255)
engine = socket.socket(socket.AF_UNIX)
engine.connect({socket!r})
def back():
    while data := engine.recv(65536):
        os.write(1, data)
    os._exit(0)
threading.Thread(target=back, daemon=True).start()
while data := os.read(0, 65536):
    engine.sendall(data)
engine.shutdown(socket.SHUT_WR)
threading.Event().wait(600)
"""


class Ssh:
    """A program `ssh` of ours, and what it was started with."""

    def __init__(self, folder: Path) -> None:
        self.program = folder / "bin" / "ssh"
        self.log = folder / "log"
        self.program.parent.mkdir()

    def lead_to(self, engine: Engine) -> Engine:
        path = engine.host.removeprefix("unix://")
        self.program.write_text(SSH.format(python=sys.executable, log=str(self.log), socket=path))
        self.program.chmod(0o755)
        return Engine(Identity("ssh://me@far:22", agent="/agent"), engine._seconds)

    def starts(self) -> list[tuple[list[str], str | None, int]]:
        return [tuple(json.loads(line)) for line in self.log.read_text().splitlines()]


@pytest.fixture
def ssh(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Ssh]:
    program = Ssh(tmp_path)
    monkeypatch.setenv("PATH", f"{program.program.parent}:{os.environ['PATH']}")
    monkeypatch.setenv("SSH_AUTH_SOCK", "/agent/of/somebody/else")
    yield program


def ended(pid: int) -> bool:
    """Waits for the end of a process."""
    return eventually(lambda: not os.path.exists(f"/proc/{pid}"))


def test_ssh_is_started_without_questions_for_the_host_user_and_port_of_the_address() -> None:
    assert command(parse("ssh://me@far:22"), 1.5) == [
        *("ssh", "-T", "-o", "BatchMode=yes", "-o", "ServerAliveInterval=30"),
        *("-o", "ServerAliveCountMax=2", "-o", "ConnectTimeout=2"),
        *("-l", "me", "-p", "22", "--", "far", "docker system dial-stdio"),
    ]
    bare = command(parse("ssh://far/run/a b.sock"), None)
    assert bare[-3:] == ["--", "far", "docker --host 'unix:///run/a b.sock' system dial-stdio"]
    assert "-l" not in bare and "-p" not in bare


def test_one_login_serves_many_requests_and_ends_with_the_engine(ssh: Ssh) -> None:
    with answering(lambda *_: (200, {"Id": "i"})) as local:
        engine = ssh.lead_to(local)
        assert not engine.is_local
        assert [engine.image_id("x") for _ in range(3)] == ["i"] * 3
        [(arguments, agent, pid)] = ssh.starts()
        assert arguments[-1] == "docker system dial-stdio"
        assert agent == "/agent"
        engine._session().close()
        assert ended(pid)


def test_a_command_s_streams_go_both_ways_and_the_input_can_end(ssh: Ssh) -> None:
    switch = b"HTTP/1.1 101 UPGRADED\r\nConnection: Upgrade\r\nUpgrade: tcp\r\n\r\nearly"

    def serve(connection: socket.socket) -> None:
        request(connection)
        connection.sendall(switch)
        data = b""
        while piece := connection.recv(65536):
            data += piece
        connection.sendall(b" got " + data)

    with raw(serve) as local:
        connection, first = ssh.lead_to(local).exec_start("e", tty=False)
        with connection:
            connection.sendall(b"input")
            connection.shutdown(socket.SHUT_WR)
            output = first
            while piece := connection.recv(65536):
                output += piece
        assert output == b"early got input"
        assert all(ended(pid) for *_, pid in ssh.starts())


def test_an_engine_that_hangs_behind_it_ends_in_time_and_leaves_no_ssh(ssh: Ssh) -> None:
    def hang(connection: socket.socket) -> None:
        while connection.recv(65536):
            pass

    # A busy machine has no `ssh` that runs within the first limit.
    for seconds in (0.5, 5.0, 50.0):
        with raw(hang, seconds) as local:
            with pytest.raises(NoAnswer, match=rf"waited {seconds:g} s"):
                ssh.lead_to(local).inspect("x")
            if ssh.log.exists():
                break
    assert ssh.starts() and all(ended(pid) for *_, pid in ssh.starts())


def test_a_login_that_is_refused_says_why(ssh: Ssh) -> None:
    Path(f"{ssh.log}.refuse").touch()
    with answering(lambda *_: (200, {})) as local, pytest.raises(EngineFailure) as caught:
        ssh.lead_to(local).info()
    assert caught.value.case == "ssh"
    assert caught.value.message.endswith("`ssh://me@far:22`: me@far: Permission denied (publickey)")
    assert "log in once" in caught.value.hint


def test_no_ssh_at_all(ssh: Ssh, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(EngineFailure, match="`ssh` cannot be started"):
        Engine(resolve({"DOCKER_HOST": "ssh://far"})).info()
