"""The SDK takes nothing from this process: not its proxies, not its config, not its variables."""

from __future__ import annotations

import contextlib
import json
import os
import socket
import subprocess
import sys
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from sandboxd.engine.adapters import keepalive
from sandboxd.engine.client import Engine, Exec
from sandboxd.engine.contexts import Identity, resolve
from sandboxd.engine.failures import EngineFailure
from tests.patience import PATIENCE
from tests.unit.engine.fake_engine import answering, raw, request


@contextlib.contextmanager
def recording(answer: bytes) -> Iterator[tuple[Engine, list[bytes]]]:
    """An engine that gives the same answer to everything, and each request as it came."""
    requests: list[bytes] = []

    def serve(connection: socket.socket) -> None:
        while data := connection.recv(65536):
            if b"Content-Length" in data and not data.endswith(b"}"):
                data += connection.recv(65536)
            requests.append(data)
            connection.sendall(answer)

    with raw(serve) as engine:
        yield engine, requests


def ok(value: object) -> bytes:
    body = json.dumps(value).encode()
    head = f"HTTP/1.1 200 OK\r\nApi-Version: 1.45\r\nContent-Length: {len(body)}\r\n"
    return f"{head}Content-Type: application/json\r\n\r\n".encode() + body


@pytest.fixture
def hostile_config(own_home: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """This process's own docker config and variables, full of what may not be used."""
    folder = own_home / ".docker"
    folder.mkdir()
    secret = "http://me:SECRET@proxy:1"
    config = {
        "proxies": {"default": {"httpProxy": secret, "noProxy": "x"}},
        "HttpHeaders": {"X-Own": "SECRET"},
        "credsStore": "SECRET",
        "detachKeys": "ctrl-SECRET",
    }
    (folder / "config.json").write_text(json.dumps(config))
    monkeypatch.setenv("DOCKER_CONFIG", str(folder))
    for name in ("HTTP_PROXY", "http_proxy", "ALL_PROXY", "HTTPS_PROXY"):
        monkeypatch.setenv(name, secret)
    (own_home / ".netrc").write_text("default login me password SECRET\n")
    return folder


@pytest.mark.usefixtures("hostile_config")
def test_nothing_of_this_process_reaches_the_engine() -> None:
    with recording(ok({"Id": "c1"})) as (engine, requests):
        assert engine.create("name", {"Image": "x", "Env": ["A=b"]}) == "c1"
        assert engine.exec_create("c1", Exec(["true"])) == "c1"
    assert len(requests) == 3
    assert b"SECRET" not in b"".join(requests)
    assert b"Authorization" not in b"".join(requests)
    body = json.loads(requests[1].partition(b"\r\n\r\n")[2])
    assert body == {"Image": "x", "Env": ["A=b"]}


@pytest.mark.usefixtures("hostile_config")
@pytest.mark.parametrize("text", ["[]", "{", '{"HttpHeaders": 1}', '{"HttpHeaders": {"X": 1}}', ""])
def test_a_broken_config_of_this_process_or_of_the_caller_is_no_failure(
    own_home: Path, text: str
) -> None:
    (own_home / ".docker/config.json").write_text(text)
    with recording(ok({"Id": "i"})) as (engine, _):
        assert engine.image_id("x") == "i"
        other = Engine(engine.identity._replace(config=str(own_home / ".docker")))
        assert other.image_id("x") == "i"


def test_the_caller_s_own_headers_are_sent(tmp_path: Path) -> None:
    (tmp_path / "config.json").write_text('{"HttpHeaders": {"X-Team": "blue"}}')
    with recording(ok({"Id": "i"})) as (engine, requests):
        Engine(engine.identity._replace(config=str(tmp_path))).image_id("x")
    assert all(b"X-Team: blue" in sent for sent in requests)


def test_the_signature_of_an_engine_is_in_its_cheapest_answer() -> None:
    answer = b"HTTP/1.1 200 OK\r\nServer: Docker/26.1 (linux)\r\nContent-Length: 0\r\n\r\n"
    with recording(answer) as (engine, requests):
        assert engine.signature() == "Docker/26.1 (linux)"
    assert requests[-1].startswith(b"GET /_ping ")
    with recording(ok({"Id": "i"})) as (engine, _):
        assert engine.signature() == ""


def test_the_engine_s_version_is_asked_once_and_spoken() -> None:
    with recording(ok({"Id": "i"})) as (engine, requests):
        engine.image_id("a/b:1")
        engine.image_id("a/b:1")
    heads = [sent.partition(b"\r\n")[0] for sent in requests]
    assert heads == [b"GET /_ping HTTP/1.1", *[b"GET /v1.45/images/a/b:1/json HTTP/1.1"] * 2]


def test_one_connection_carries_many_requests() -> None:
    connections = []

    def serve(connection: socket.socket) -> None:
        connections.append(connection)
        while True:
            request(connection)
            connection.sendall(ok({"Id": "i"}))

    with raw(serve) as engine:
        for name in ("a", "b", "c"):
            engine.image_id(name)
    assert len(connections) == 1


def test_a_connection_that_the_engine_closed_meanwhile_is_not_used() -> None:
    closed = threading.Event()

    def serve(connection: socket.socket) -> None:
        request(connection)
        connection.sendall(ok({"Id": "i"}))
        connection.close()
        closed.set()

    with raw(serve) as engine:
        for _ in range(3):
            assert engine.image_id("x") == "i"
            assert closed.wait(PATIENCE)
            closed.clear()


def test_a_redirect_is_not_followed() -> None:
    moved = b"HTTP/1.1 301 Moved\r\nApi-Version: 1.45\r\nLocation: http://other/\r\nContent-Length: 0\r\n\r\n"
    with recording(moved) as (engine, requests), pytest.raises(EngineFailure):
        engine.image_id("x")
    assert len(requests) == 1


def test_each_thread_has_its_own_time_limit() -> None:
    with answering(lambda *_: (200, {"Id": "i"})) as engine:
        session = engine._session()
        limits = []
        with session.within(3.0):
            thread = threading.Thread(target=lambda: limits.append(session.timeout))
            thread.start()
            thread.join()
            limits.append(session.timeout)
        assert [*limits, session.timeout] == [PATIENCE, 3.0, PATIENCE]


@pytest.mark.parametrize("value", [[], "text", 1, None, {}])
def test_an_answer_of_another_shape_is_a_failure_with_words(value: object) -> None:
    with recording(ok(value)) as (engine, _):
        with pytest.raises(EngineFailure, match="broke off"):
            engine.image_id("x")
        with pytest.raises(EngineFailure, match="broke off"):
            engine.create("x", {})


def test_a_name_that_is_no_utf8_is_asked_for_as_it_is() -> None:
    nothing = b"HTTP/1.1 404 No\r\nApi-Version: 1.45\r\nContent-Length: 0\r\n\r\n"
    with recording(nothing) as (engine, requests):
        assert engine.path_stat("c", os.fsdecode(b"/w/\xff name")) is None
    assert b"path=%2Fw%2F%FF+name" in requests[-1]


def test_a_connection_over_the_network_looks_whether_the_other_machine_is_there() -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:
        engine = Engine(resolve({"DOCKER_HOST": f"tcp://127.0.0.1:{server.getsockname()[1]}"}))

        def serve() -> None:
            connection, _ = server.accept()
            with connection, contextlib.suppress(OSError):
                while connection.recv(65536):
                    connection.sendall(ok({"Id": "i"}))

        threading.Thread(target=serve, daemon=True).start()
        sockets: list[socket.socket] = []
        original = socket.socket.connect

        def connect(self: socket.socket, address: object) -> None:
            sockets.append(self)
            original(self, address)  # type: ignore[arg-type]

        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(socket.socket, "connect", connect)
            assert engine.image_id("x") == "i"
        assert sockets[0].getsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE) == 1
        assert sockets[0].getsockopt(socket.IPPROTO_TCP, socket.TCP_KEEPIDLE) == 30
    assert (socket.SOL_SOCKET, socket.SO_KEEPALIVE, 1) in keepalive()


def test_an_identity_is_enough() -> None:
    assert Engine(Identity("unix:///x")).host == "unix:///x"


@pytest.mark.parametrize(
    "module",
    [
        *("engine.client", "engine.execute", "engine.failures", "host.probe", "life.up_down"),
        *(
            "operations.start",
            "status.observe",
            "daemon.service",
            "lsp.session",
            "cli.commands.check",
        ),
    ],
)
def test_the_sdk_is_loaded_at_the_first_call_only(module: str) -> None:
    script = f"""
import sandboxd.{module}, sys
loaded = {{"docker", "requests", "urllib3"}} & set(sys.modules)
sys.exit(f"loaded: {{loaded}}" if loaded else 0)
"""
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
