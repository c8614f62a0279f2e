"""A server among clients that behave badly: each loses its own connection only."""

from __future__ import annotations

import asyncio
import contextlib
import json
import os
import socket
import stat
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest
import pytest_asyncio

from sandboxd.engine.failures import image_missing
from sandboxd.errors import DaemonError, EnvironmentFailure
from sandboxd.ipc import client, messages, parameters, server
from sandboxd.ipc.server import Connection, Server
from tests.patience import PATIENCE, until

HELLO = {"version": "1", "engine": {"DOCKER_HOST": "unix:///x"}, "cwd": "/"}


class Peer:
    """A client that may say anything."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.reader, self.writer = reader, writer

    async def say(self, message: Any) -> None:
        raw = message if isinstance(message, bytes) else json.dumps(message).encode() + b"\n"
        self.writer.write(raw)
        await self.writer.drain()

    async def hear(self) -> Any:
        line = await asyncio.wait_for(self.reader.readline(), PATIENCE)
        return json.loads(line) if line else None

    async def ask(self, method: str, params: Any, number: int = 7) -> Any:
        await self.say({"jsonrpc": "2.0", "id": number, "method": method, "params": params})
        return await self.hear()


async def echo(_connection: Connection, params: dict[str, Any]) -> Any:
    return parameters.text(params, "text")


async def fail(_connection: Connection, _params: dict[str, Any]) -> Any:
    raise EnvironmentFailure("no engine", "start it")


async def lack(_connection: Connection, _params: dict[str, Any]) -> Any:
    raise image_missing("shop:1")


async def crash(_connection: Connection, _params: dict[str, Any]) -> Any:
    raise ZeroDivisionError("oops")


async def wait(_connection: Connection, _params: dict[str, Any]) -> Any:
    await asyncio.sleep(600)


@pytest_asyncio.fixture
async def path(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[str]:
    for name in ("GREETING_SECONDS", "WRITE_SECONDS"):
        monkeypatch.setattr(server, name, PATIENCE)
    where = str(tmp_path / "s")
    handlers = {"echo": echo, "fail": fail, "lack": lack, "crash": crash, "wait": wait}
    running = Server(handlers, {"version": "9", "protocol": 1, "pid": 1})
    await running.listen(where)
    yield where
    await running.close()


async def connect(path: str) -> Peer:
    return Peer(*await asyncio.open_unix_connection(path, limit=2**24))


async def greeted(path: str) -> Peer:
    peer = await connect(path)
    answer = await peer.ask(messages.HELLO, HELLO, 1)
    assert answer["result"] == {"version": "9", "protocol": 1, "pid": 1}
    return peer


@pytest.mark.asyncio
async def test_the_socket_is_private(path: str) -> None:
    assert stat.S_IMODE(os.stat(path).st_mode) == 0o600


@pytest.mark.asyncio
async def test_requests_are_answered_by_id(path: str) -> None:
    peer = await greeted(path)
    assert (await peer.ask("echo", {"text": "hi"}, 5)) == {
        "jsonrpc": "2.0",
        "id": 5,
        "result": "hi",
    }


@pytest.mark.asyncio
async def test_a_slow_request_does_not_hold_up_the_next(path: str) -> None:
    peer = await greeted(path)
    await peer.say({"jsonrpc": "2.0", "id": 1, "method": "wait", "params": {}})
    assert (await peer.ask("echo", {"text": "hi"}, 2))["id"] == 2


@pytest.mark.asyncio
@pytest.mark.parametrize(
    ("method", "params", "code"),
    [
        ("nothing", {}, messages.METHOD_NOT_FOUND),
        ("echo", {}, messages.INVALID_PARAMS),
        ("echo", {"text": 3}, messages.INVALID_PARAMS),
        ("echo", [1], messages.INVALID_PARAMS),
        ("fail", {}, messages.INTERNAL_ERROR),
        ("crash", {}, messages.INTERNAL_ERROR),
    ],
)
async def test_a_bad_request_is_answered_and_the_connection_lives(
    path: str, method: str, params: Any, code: int
) -> None:
    peer = await greeted(path)
    assert (await peer.ask(method, params))["error"]["code"] == code
    assert (await peer.ask("echo", {"text": "still"}))["result"] == "still"


@pytest.mark.asyncio
async def test_the_hint_of_an_error_arrives(path: str) -> None:
    answer = await (await greeted(path)).ask("fail", {})
    assert answer["error"]["message"] == "no engine"
    assert answer["error"]["data"] == {"hint": "start it", "exit": 4}


@pytest.mark.asyncio
async def test_the_option_that_mends_an_error_arrives(path: str) -> None:
    answer = await (await greeted(path)).ask("lack", {})
    assert answer["error"]["data"]["option"] == "--pull"


@pytest.mark.asyncio
@pytest.mark.parametrize(
    "noise",
    [
        b"\0\xff\xfe garbage\n",
        b"{}\n",
        b"[1]\n",
        b"null\n",
        b"[" * 100_000 + b"\n",
        b'{"method":1}\n',
    ],
)
async def test_garbage_ends_one_connection_only(path: str, noise: bytes) -> None:
    other, peer = await greeted(path), await greeted(path)
    await peer.say(noise)
    assert (await peer.hear())["error"]["code"] in (messages.PARSE_ERROR, messages.INVALID_REQUEST)
    assert await peer.hear() is None
    assert (await other.ask("echo", {"text": "hi"}))["result"] == "hi"


@pytest.mark.asyncio
async def test_nothing_is_served_before_the_greeting(path: str) -> None:
    peer = await connect(path)
    assert (await peer.ask("echo", {"text": "hi"}))["error"]["code"] == messages.NOT_GREETED
    assert await peer.hear() is None


@pytest.mark.asyncio
@pytest.mark.parametrize(
    "wrong",
    [
        {},
        {**HELLO, "cwd": "relative"},
        {**HELLO, "engine": {"DOCKER_HOST": 3}},
        {**HELLO, "engine": {"PATH": "/"}},
        5,
    ],
)
async def test_a_greeting_that_is_not_one_is_refused(path: str, wrong: Any) -> None:
    peer = await connect(path)
    assert (await peer.ask(messages.HELLO, wrong))["error"]["code"] == messages.INVALID_PARAMS
    assert await peer.hear() is None


@pytest.mark.asyncio
async def test_half_a_message_and_a_goodbye_harm_nobody(path: str) -> None:
    peer = await greeted(path)
    await peer.say(b'{"jsonrpc":"2.0","id":1,"meth')
    peer.writer.close()
    assert (await (await greeted(path)).ask("echo", {"text": "hi"}))["result"] == "hi"


@pytest.mark.asyncio
async def test_a_line_beyond_the_cap_ends_the_connection(path: str) -> None:
    peer = await greeted(path)
    sent = 0
    with pytest.raises(ConnectionError):
        while sent < 4 * messages.MAX_LINE:
            await peer.say(b"x" * 262144)
            sent += 262144
    assert sent < 4 * messages.MAX_LINE


@pytest.mark.asyncio
async def test_a_client_that_says_nothing_is_let_go(
    path: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(server, "GREETING_SECONDS", 0.05)
    peer = await connect(path)
    assert await peer.hear() is None


@pytest.mark.asyncio
async def test_a_client_that_does_not_read_is_let_go(
    path: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(server, "WRITE_SECONDS", 0.1)
    peer = await greeted(path)
    large = {"jsonrpc": "2.0", "id": 1, "method": "echo", "params": {"text": "x" * 4_000_000}}
    with pytest.raises(ConnectionError):
        for _ in range(50):
            await peer.say(large)
            await asyncio.sleep(0.01)
    assert (await (await greeted(path)).ask("echo", {"text": "hi"}))["result"] == "hi"


@pytest.mark.asyncio
async def test_three_hundred_clients_at_once(path: str) -> None:
    peers = [await greeted(path) for _ in range(300)]
    answers = await asyncio.gather(*(peer.ask("echo", {"text": "hi"}) for peer in peers))
    assert all(answer["result"] == "hi" for answer in answers)
    for peer in peers:
        peer.writer.close()


@pytest.mark.asyncio
async def test_closing_ends_requests_that_run(tmp_path: Path) -> None:
    where = str(tmp_path / "s2")
    running = Server({"wait": wait}, {"version": "9", "protocol": 1, "pid": 1})
    await running.listen(where)
    peer = await greeted(where)
    await peer.say({"jsonrpc": "2.0", "id": 1, "method": "wait", "params": {}})
    await asyncio.sleep(0.02)
    await asyncio.wait_for(running.close(), PATIENCE)
    assert await peer.hear() is None


@pytest.mark.asyncio
async def test_who_was_not_greeted_before_the_end_is_told_nothing(tmp_path: Path) -> None:
    """It then looks for the next daemon, as who comes later; who was greeted is served."""
    served = Server({"echo": echo}, {"version": "9", "protocol": 1, "pid": 1})
    where = str(tmp_path / "s2")
    await served.listen(where)
    before, between = await greeted(where), await connect(where)
    await until(lambda: len(served._tasks) == 2)
    served.stop_listening()
    await between.say({"jsonrpc": "2.0", "id": 1, "method": "hello", "params": HELLO})
    assert await between.hear() is None
    assert (await before.ask("echo", {"text": "x"}))["result"] == "x"
    await served.close()


@pytest.mark.asyncio
async def test_a_client_of_another_user_is_not_even_greeted(
    path: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    await greeted(path)
    monkeypatch.setattr(os, "getuid", lambda: os.geteuid() + 1)
    peer = await connect(path)
    with contextlib.suppress(ConnectionError):
        assert await peer.ask(messages.HELLO, HELLO, 1) is None


def test_a_daemon_of_another_user_is_not_talked_to(tmp_path: Path) -> None:
    where = str(tmp_path / "d.sock")
    with socket.socket(socket.AF_UNIX) as listener, socket.socket(socket.AF_UNIX) as caller:
        listener.bind(where)
        listener.listen()
        caller.connect(where)
        assert client._check_peer(caller, os.getuid()) == os.getpid()
        with pytest.raises(DaemonError, match=f"runs as user {os.getuid()}, not as you"):
            client._check_peer(caller, os.getuid() + 1)
