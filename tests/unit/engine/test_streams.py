"""Answers that grow, and connections that are taken over: nothing is lost, whenever it arrives."""

from __future__ import annotations

import contextlib
import socket
import time

import pytest

from sandboxd.engine.failures import EngineFailure, NoAnswer
from sandboxd.engine.frames import Chunks, pump
from tests.unit.engine.fake_engine import raw, request, whole_request

SWITCH = b"HTTP/1.1 101 UPGRADED\r\nConnection: Upgrade\r\nUpgrade: tcp\r\n\r\n"


@pytest.mark.parametrize("first", [b"", b"x", b"\x01\0\0\0\0\0\0\x05hello", b"y" * 9000])
def test_what_comes_with_the_answer_is_not_lost(first: bytes) -> None:
    """docker-py's `exec_start(socket=True)` loses it."""

    def serve(connection: socket.socket) -> None:
        request(connection)
        connection.sendall(SWITCH + first)
        assert connection.recv(5) == b"input"
        connection.sendall(b" and more")

    with raw(serve) as engine:
        connection, early = engine.exec_start("e", tty=False)
        with connection:
            assert connection.gettimeout() is None
            connection.sendall(b"input")
            data = early
            while piece := connection.recv(65536):
                data += piece
        assert data == first + b" and more"
        # The engine can still be asked; the connection is not used for it.
        assert engine._session() is not None


def test_attaching_asks_for_all_three_streams_and_loses_nothing() -> None:
    asked: list[tuple[str, str, bytes]] = []

    def serve(connection: socket.socket) -> None:
        asked.append(whole_request(connection))
        connection.sendall(SWITCH + b"early")
        connection.sendall(connection.recv(5))

    with raw(serve) as engine:
        connection, early = engine.attach("gateway")
        with connection:
            connection.sendall(b"input")
            data = early
            while piece := connection.recv(65536):
                data += piece
    assert data == b"earlyinput"
    # A body would be the first input of the process.
    address = "/containers/gateway/attach?stream=1&stdin=1&stdout=1&stderr=1"
    assert asked == [("POST", address, b"")]


def test_a_connection_taken_over_is_not_used_for_the_next_question() -> None:
    asked: list[int] = []

    def serve(connection: socket.socket) -> None:
        while True:
            _, target = request(connection)
            asked.append(connection.fileno())
            if target.startswith("/exec"):
                connection.sendall(SWITCH)
                assert connection.recv(100) == b"mine"
                return
            connection.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n{}")

    with raw(serve) as engine:
        engine.info()
        stream, _ = engine.exec_start("e", tty=True)
        with stream:
            engine.info()
            stream.sendall(b"mine")
            assert stream.recv(100) == b""
    assert asked[0] == asked[1] != asked[2]


@pytest.mark.parametrize(
    ("answer", "words"),
    [
        (b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n{}", "was not handed over"),
        (
            b'HTTP/1.1 404 X\r\nContent-Length: 30\r\n\r\n{"message":"No such exec: e1"}',
            "not running",
        ),
        (b"", "broke off"),
    ],
)
def test_an_engine_that_hands_over_nothing(answer: bytes, words: str) -> None:
    def serve(connection: socket.socket) -> None:
        request(connection)
        connection.sendall(answer)

    with raw(serve) as engine, pytest.raises(EngineFailure, match=words):
        engine.exec_start("e", tty=False)


CHUNKED = b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n"


def chunk(data: bytes) -> bytes:
    return f"{len(data):x}\r\n".encode() + data + b"\r\n"


def test_events_arrive_one_by_one_and_the_first_says_that_it_is_open() -> None:
    def serve(connection: socket.socket) -> None:
        request(connection)
        connection.sendall(CHUNKED)
        # One event in two pieces, and two in one.
        connection.sendall(chunk(b'{"Action":') + chunk(b'"start"}\n{"Action":"die"}\n'))
        connection.sendall(chunk(b'{"Action":"destroy"}\n') + b"0\r\n\r\n")

    with raw(serve) as engine:
        events = list(engine.events())
    assert events == [{}, {"Action": "start"}, {"Action": "die"}, {"Action": "destroy"}]


@pytest.mark.parametrize("head", [CHUNKED, b"HTTP/1.1 200 OK\r\nConnection: close\r\n\r\n"])
def test_a_stream_may_be_silent_for_longer_than_an_answer_may_take(head: bytes) -> None:
    def opened(limit: float) -> list[object]:
        """What comes when an answer may take so many seconds, and the stream is silent for more."""

        def serve(connection: socket.socket) -> None:
            request(connection)
            connection.sendall(head)
            time.sleep(2 * limit)
            data = b'{"Action":"start"}\n'
            connection.sendall(chunk(data) + b"0\r\n\r\n" if head == CHUNKED else data)

        events: list[object] = []
        with raw(serve, limit) as engine, contextlib.suppress(NoAnswer):
            events.extend(engine.events())
        return events

    # Where the machine takes longer than the limit for the head, another one is tried.
    outcomes = (opened(limit) for limit in (0.25, 2.5, 25.0))
    assert next(filter(None, outcomes)) == [{}, {"Action": "start"}]


@pytest.mark.parametrize("tail", [chunk(b'{"Action":') + b"zz", chunk(b"{oh}\n"), chunk(b"[]\n")])
def test_a_stream_of_events_that_breaks_off(tail: bytes) -> None:
    def serve(connection: socket.socket) -> None:
        request(connection)
        connection.sendall(CHUNKED + tail)

    with raw(serve) as engine, pytest.raises(EngineFailure, match="broke off"):
        list(engine.events())


def test_a_stream_of_events_that_does_not_open_ends_in_time() -> None:
    def serve(connection: socket.socket) -> None:
        request(connection)
        connection.recv(1)

    with raw(serve, 0.2) as engine, pytest.raises(EngineFailure, match="does not answer"):
        list(engine.events())


@pytest.mark.parametrize("tty", [True, False])
@pytest.mark.parametrize("chunked", [True, False])
def test_logs_keep_the_streams_apart(tty: bool, chunked: bool) -> None:
    data = b"raw" if tty else b"\x01\0\0\0\0\0\0\x03out\x02\0\0\0\0\0\0\x03err"

    def serve(connection: socket.socket) -> None:
        while True:
            _, target = request(connection)
            if "/logs" in target:
                break
            body = b'{"Config": {"Tty": %s}}' % (b"true" if tty else b"false")
            connection.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n" % len(body) + body)
        if chunked:
            pieces = [data[i : i + 5] for i in range(0, len(data), 5)]
            connection.sendall(CHUNKED + b"".join(map(chunk, pieces)) + b"0\r\n\r\n")
        else:
            connection.sendall(b"HTTP/1.1 200 OK\r\nConnection: close\r\n\r\n" + data)

    with raw(serve) as engine:
        pieces = list(engine.logs("c", follow=True, tail="all"))
    if tty:
        assert b"".join(piece for _, piece in pieces) == b"raw"
    else:
        assert pieces == [(1, b"out"), (2, b"err")]


@pytest.mark.parametrize("early", [0, 3, 12, 40])
def test_logs_can_be_read_by_somebody_else(early: int) -> None:
    """Chunks that come together with the head of the answer are not lost."""
    frames = b"\x01\0\0\0\0\0\0\x03out\x02\0\0\0\0\0\0\x03err"
    body = chunk(frames[:5]) + chunk(frames[5:]) + b"0\r\n\r\n"

    def serve(connection: socket.socket) -> None:
        request(connection)
        inspected = b'{"Config": {"Tty": false}}'
        connection.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 26\r\n\r\n" + inspected)
        assert request(connection)[1] == "/containers/c/logs?stdout=1&stderr=1&follow=1&tail=all"
        connection.sendall(CHUNKED + body[:early])
        time.sleep(0.05)
        connection.sendall(body[early:])

    pieces: list[tuple[int, bytes]] = []
    with raw(serve) as engine:
        logs = engine.open_logs("c", follow=True, tail="all")
        assert logs is not None and not logs.has_tty
        with logs.connection:
            chunks = Chunks(logs.connection, logs.first)
            pump(chunks, b"", logs.has_tty, lambda stream, data: pieces.append((stream, data)))
    assert pieces == [(1, b"out"), (2, b"err")]


def test_logs_that_end_with_their_connection_are_not_handed_on() -> None:
    def serve(connection: socket.socket) -> None:
        request(connection)
        inspected = b'{"Config": {"Tty": false}}'
        connection.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 26\r\n\r\n" + inspected)
        request(connection)
        connection.sendall(b"HTTP/1.1 200 OK\r\nConnection: close\r\n\r\nraw")

    with raw(serve) as engine:
        assert engine.open_logs("c", follow=False, tail="5") is None


def test_an_archive_is_read_no_further_than_asked() -> None:
    def serve(connection: socket.socket) -> None:
        request(connection)
        stat = b"eyJuYW1lIjogIngifQ=="  # {"name": "x"}
        connection.sendall(
            b"HTTP/1.1 200 OK\r\nX-Docker-Container-Path-Stat: " + stat + b"\r\n"
            b"Transfer-Encoding: chunked\r\n\r\n" + chunk(b"a" * 3000)
        )
        connection.recv(1)

    with raw(serve) as engine:
        assert engine.archive("c", "/x", 2000) == ({"name": "x"}, b"a" * 2000)
