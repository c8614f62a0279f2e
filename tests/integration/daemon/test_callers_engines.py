"""A daemon speaks to the engine that its caller means, in the caller's way, and to no other."""

from __future__ import annotations

import contextlib
import hashlib
import json
import shutil
import socket
import subprocess
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.integration.daemon.world import World
from tests.integration.stub_engine import CONFIG, StubEngine, stub_engine
from tests.patience import PATIENCE, eventually

_HANDSHAKE = 0x16
"""The first byte of TLS (RFC 8446, section 5.1)."""


class Listener:
    """Listens as an engine would, keeps the first bytes of each connection, and answers nothing."""

    def __init__(self) -> None:
        self.first: list[bytes] = []
        self._server = socket.create_server(("127.0.0.1", 0))
        self.host = f"tcp://127.0.0.1:{self._server.getsockname()[1]}"
        threading.Thread(target=self._accept, daemon=True).start()

    def _accept(self) -> None:
        with contextlib.suppress(OSError):
            while True:
                connection, _ = self._server.accept()
                with connection, contextlib.suppress(OSError):
                    connection.settimeout(PATIENCE)
                    self.first.append(connection.recv(64))

    def close(self) -> None:
        self._server.close()


@pytest.fixture
def listener() -> Iterator[Listener]:
    listener = Listener()
    try:
        yield listener
    finally:
        listener.close()


@pytest.fixture
def certificates(world: World) -> Path:
    if shutil.which("openssl") is None:
        pytest.skip("no certificates: openssl is not installed")
    folder = world.home / "certificates"
    folder.mkdir()
    words = [
        "req",
        "-x509",
        "-newkey",
        "rsa:2048",
        "-nodes",
        "-subj",
        "/CN=x",
        "-keyout",
        "key.pem",
    ]
    subprocess.run(
        ["openssl", *words, "-out", "cert.pem"], cwd=folder, check=True, capture_output=True
    )
    shutil.copy(folder / "cert.pem", folder / "ca.pem")
    return folder


def make_context(home: Path, name: str, host: str) -> None:
    """What `docker context create` and `docker context use` write."""
    meta = home / ".docker/contexts/meta" / hashlib.sha256(name.encode()).hexdigest()
    meta.mkdir(parents=True)
    endpoints = {"docker": {"Host": host, "SkipTLSVerify": False}}
    (meta / "meta.json").write_text(json.dumps({"Name": name, "Endpoints": endpoints}))
    (home / ".docker/config.json").write_text(json.dumps({"currentContext": name}))


@pytest.mark.parametrize("command", ["status", "up", "exec", "down", "logs", "drift"])
def test_an_engine_that_is_wanted_by_tls_gets_no_plain_word(
    world: World, listener: Listener, certificates: Path, command: str
) -> None:
    """The daemon was started by somebody who names the same address without TLS settings."""
    project = world.project(text=CONFIG)
    world.start()
    tls = {"DOCKER_CERT_PATH": str(certificates), "DOCKER_TLS_VERIFY": "1"}
    world.environ |= {"DOCKER_HOST": listener.host, **tls}
    words = ["exec", "-n", "--", "true"] if command == "exec" else [command]
    world.run(*words, cwd=project)
    # `status` answers before the daemon has asked.
    eventually(lambda: listener.first)
    assert {first[:1] for first in listener.first} == {bytes([_HANDSHAKE])}


def test_certificates_that_cannot_be_read_are_no_reason_to_speak_plainly(
    world: World, listener: Listener
) -> None:
    project = world.project(text=CONFIG)
    world.start()
    world.environ |= {"DOCKER_HOST": listener.host, "DOCKER_CERT_PATH": "/nonexistent"}
    done = world.run("up", cwd=project)
    assert done.returncode == 4
    assert "cannot read the engine's TLS files" in done.stderr
    assert listener.first == []


@pytest.fixture
def engines(world: World) -> Iterator[tuple[StubEngine, StubEngine]]:
    """Of the daemon's home, and of another home of the same user, each by the context in use there."""
    del world.environ["DOCKER_HOST"]
    (world.home / "other").mkdir()
    with stub_engine(world.home / "e1") as first, stub_engine(world.home / "e2") as second:
        make_context(world.home, "first", first.host)
        make_context(world.home / "other", "second", second.host)
        yield first, second


def engine_of(world: World) -> str:
    """The engine that `status` speaks of, once it has been looked at."""
    host = eventually(lambda: world.status()["host"])
    return str(host["engine"]["host"])


def test_another_home_has_other_contexts(
    world: World, engines: tuple[StubEngine, StubEngine]
) -> None:
    first, second = engines
    project = world.project(text=CONFIG)
    world.start()
    assert engine_of(world) == first.host
    world.environ["HOME"] = str(world.home / "other")
    asked = len(first.requests)
    assert engine_of(world) == second.host
    assert world.run("up", cwd=project).returncode == 0
    assert world.run("exec", "-n", "--", "exit", "3", cwd=project).returncode == 3
    assert (len(first.of_projects()), len(second.of_projects())) == (0, 1)
    assert not [r for r in first.requests[asked:] if r.startswith("POST")]
    world.environ["HOME"] = str(world.home)
    assert world.run("exec", "-n", "--", "exit", "3", cwd=project).returncode == 4
    world.environ["DOCKER_CONFIG"] = str(world.home / "other" / ".docker")
    assert world.run("exec", "-n", "--", "exit", "3", cwd=project).returncode == 3
