"""Two ends of a relay in one process: what goes in comes out, whatever is slow, breaks or lies."""

from __future__ import annotations

import contextlib
import os
import selectors
import socket
import threading
from collections.abc import Iterator

import pytest

from sandboxd.forward.trunk import program
from sandboxd.inside.frames import OPEN, READY, Decoder, pack, pack_credit
from sandboxd.inside.ports import dial
from sandboxd.inside.relay import Relay
from tests.patience import PATIENCE
from tests.ports import closed_port
from tests.unit.forward.streams import Trunk


class Ends:
    """Both ends, each in its thread, and a port that leads to `target`."""

    def __init__(self, target: int) -> None:
        here, there = socket.socketpair()
        self.streams = (here, there)
        self.refused: list[tuple[str, str]] = []
        outer = Relay(Trunk(here), refused=lambda *words: self.refused.append(words))
        self.listener = socket.create_server(("127.0.0.1", 0))
        self.port = self.listener.getsockname()[1]
        outer.listen(self.listener, str(target))
        self.threads = [
            threading.Thread(target=self._run, args=(end,), daemon=True)
            for end in (outer, Relay(Trunk(there), dial))
        ]
        for thread in self.threads:
            thread.start()

    def _run(self, end: Relay) -> None:
        with contextlib.suppress(OSError):
            while end.turn(None):
                pass
        end.close()

    def close(self) -> None:
        for stream in self.streams:
            with contextlib.suppress(OSError):
                stream.shutdown(socket.SHUT_RDWR)
        for thread in self.threads:
            thread.join(PATIENCE)
            assert not thread.is_alive()
        for stream in (*self.streams, self.listener):
            stream.close()


@pytest.fixture
def server() -> Iterator[socket.socket]:
    with socket.create_server(("127.0.0.1", 0), backlog=64) as listener:
        listener.settimeout(PATIENCE)
        yield listener


@pytest.fixture
def ends(server: socket.socket) -> Iterator[Ends]:
    both = Ends(server.getsockname()[1])
    yield both
    both.close()


def connect(ends: Ends, server: socket.socket) -> tuple[socket.socket, socket.socket]:
    near = socket.create_connection(("127.0.0.1", ends.port), PATIENCE)
    far, _ = server.accept()
    far.settimeout(PATIENCE)
    return near, far


def read(connection: socket.socket) -> bytes:
    pieces = []
    while piece := connection.recv(65536):
        pieces.append(piece)
    return b"".join(pieces)


def send(connection: socket.socket, data: bytes) -> threading.Thread:
    def run() -> None:
        connection.sendall(data)
        connection.shutdown(socket.SHUT_WR)

    thread = threading.Thread(target=run, daemon=True)
    thread.start()
    return thread


def test_more_than_a_window_goes_both_ways(ends: Ends, server: socket.socket) -> None:
    near, far = connect(ends, server)
    one, other = os.urandom(1_500_000), os.urandom(1_400_000)
    threads = [send(near, one), send(far, other)]
    result: list[bytes] = []
    reader = threading.Thread(target=lambda: result.append(read(far)), daemon=True)
    reader.start()
    assert read(near) == other
    reader.join(PATIENCE)
    assert result == [one]
    for thread in threads:
        thread.join(PATIENCE)
    near.close()
    far.close()


def test_each_direction_ends_by_itself(ends: Ends, server: socket.socket) -> None:
    near, far = connect(ends, server)
    near.sendall(b"question")
    near.shutdown(socket.SHUT_WR)
    assert read(far) == b"question"
    far.sendall(b"answer")
    far.close()
    assert read(near) == b"answer"
    near.close()


def test_one_that_nobody_reads_stops_no_other(ends: Ends, server: socket.socket) -> None:
    slow, unread = connect(ends, server)
    slow.settimeout(0.2)
    sent = 0
    with pytest.raises(TimeoutError):
        while True:
            sent += slow.send(b"x" * 65536)
    near, far = connect(ends, server)
    near.sendall(b"quick")
    assert far.recv(5) == b"quick"
    for connection in (slow, unread, near, far):
        connection.close()


def test_where_nobody_listens_it_is_said() -> None:
    with closed_port() as port:
        both = Ends(port)
        near = socket.create_connection(("127.0.0.1", both.port), PATIENCE)
        with near, contextlib.suppress(ConnectionResetError):
            assert near.recv(1) == b""
        both.close()
    assert [target for target, _ in both.refused] == [str(port)]


def test_nothing_is_accepted_before_the_other_end_is_there(server: socket.socket) -> None:
    here, there = socket.socketpair()
    outer = Relay(Trunk(here))
    outer.listen(server, "1")
    with socket.create_connection(server.getsockname(), PATIENCE):
        outer.turn(0.05)
        assert not outer.is_ready
        there.sendall(pack(READY, 0))
        outer.turn(PATIENCE)
        assert outer.is_ready
        outer.turn(PATIENCE)
        with selectors.DefaultSelector() as selector:
            selector.register(there, selectors.EVENT_READ)
            while not selector.select(0):
                outer.turn(PATIENCE)
        kind, number, content = next(Decoder().take(there.recv(100)))
        assert (kind, number, content) == (OPEN, 1, b"1")
    outer.close()
    here.close()
    there.close()


def test_the_program_inside_imports_nothing_of_ours() -> None:
    text = program()
    assert "sandboxd" not in text
    compile(text, "program", "exec")


class Flood:
    """A stream on which more arrives than is ever read."""

    has_more = False

    def __init__(self, connection: socket.socket, frame: bytes) -> None:
        self._frame = frame
        self.reads = 0
        self.reader = self.writer = connection.fileno()

    def receive(self) -> bytes | None:
        self.reads += 1
        assert self.reads < 1000, "it reads for ever, and hears of no stop"
        return self._frame

    def send(self, data: memoryview) -> int:
        return len(data)


def test_a_turn_ends_while_the_other_end_sends_without_an_end() -> None:
    """Else a program inside that floods the stream keeps its SSH agent, or a port, after they were taken back."""
    here, there = socket.socketpair()
    with here, there:
        there.sendall(b"x")
        flood = Flood(here, pack_credit(1, 0))
        end = Relay(flood, lambda _target: socket.socketpair()[0])
        end._last = 1
        assert end.turn(None)
        here.recv(1)
        assert end.turn(None), "what the last turn left has no event of its own"
        assert flood.reads > 1
        end.close()
