"""A signal while the daemon works in a command's place: it is told at once, whenever the signal comes."""

from __future__ import annotations

import json
import signal
import socket
import threading
from collections.abc import Iterator
from typing import IO

import pytest

from sandboxd.cli.cancelling_remotely import Signals
from sandboxd.cli.interruption import Interrupted
from sandboxd.ipc import messages
from sandboxd.ipc.conversation import Conversation
from tests.patience import PATIENCE


class Daemon:
    """The other end: reads requests, answers one, and can send its process a signal."""

    def __init__(self, connection: socket.socket) -> None:
        connection.settimeout(PATIENCE)
        self._connection = connection
        self._lines: IO[bytes] = connection.makefile("rb")
        self.methods: list[str] = []
        self._first = 0

    def read(self) -> None:
        """The next request."""
        request = json.loads(self._lines.readline())
        self._first = self._first or request["id"]
        self.methods.append(request["method"])

    def answer(self, result: object) -> None:
        """Answer the first request."""
        message = {"jsonrpc": "2.0", "id": self._first, "result": result}
        self._connection.sendall(json.dumps(message).encode() + b"\n")


def raise_here(number: int) -> None:
    """The signal comes to this thread. The main one, whose call is not ended by it, has to run the handler:
    as it is where a signal comes just before that call."""
    signal.pthread_kill(threading.get_ident(), number)


@pytest.fixture(autouse=True)
def handlers() -> Iterator[None]:
    """Handlers as a terminal leaves them: a worker of the test runner ignores SIGINT."""
    numbers = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)
    before = {number: signal.getsignal(number) for number in numbers}
    signal.signal(signal.SIGINT, signal.default_int_handler)
    for number in numbers[1:]:
        signal.signal(number, signal.SIG_DFL)
    yield
    for number in numbers:
        signal.signal(number, before[number])


@pytest.fixture
def pair() -> Iterator[tuple[Conversation, Daemon]]:
    ours, theirs = socket.socketpair()
    with ours, theirs:
        # The side under test waits as long as it likes; the test's own limit is the daemon's.
        yield Conversation(ours), Daemon(theirs)


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP])
def test_a_signal_that_ends_no_call_cancels(
    pair: tuple[Conversation, Daemon], number: int, capfd: pytest.CaptureFixture[str]
) -> None:
    conversation, daemon = pair

    def serve() -> None:
        try:
            daemon.read()
            raise_here(number)
            daemon.read()
        finally:
            daemon.answer("ended")

    thread = threading.Thread(target=serve)
    thread.start()
    before = signal.getsignal(number)
    with Signals(conversation) as signals:
        assert conversation.ask("operation/start", {}) == "ended"
    thread.join()
    assert daemon.methods == ["operation/start", messages.CANCEL]
    assert (signals.received, signal.getsignal(number)) == (number, before)
    assert capfd.readouterr().err == "ending after this step; the same again ends at once\n"
    assert signal.set_wakeup_fd(-1) == -1, "the pipe is nobody's any more"


def test_the_second_signal_ends_at_once(pair: tuple[Conversation, Daemon]) -> None:
    conversation, daemon = pair

    def serve() -> None:
        try:
            daemon.read()
            raise_here(signal.SIGINT)
            daemon.read()
            raise_here(signal.SIGTERM)
        except OSError:
            # The test fails then, and does not wait for ever.
            daemon.answer("ended")

    thread = threading.Thread(target=serve)
    thread.start()
    with pytest.raises(Interrupted) as caught, Signals(conversation):
        conversation.ask("operation/start", {})
    thread.join()
    assert caught.value.exit_code == 128 + signal.SIGTERM


def test_an_ignored_signal_stays_ignored(pair: tuple[Conversation, Daemon]) -> None:
    conversation, daemon = pair
    before = signal.signal(signal.SIGHUP, signal.SIG_IGN)

    def serve() -> None:
        daemon.read()
        raise_here(signal.SIGHUP)
        daemon.answer("ended")

    thread = threading.Thread(target=serve)
    thread.start()
    try:
        with Signals(conversation) as signals:
            assert conversation.ask("operation/start", {}) == "ended"
    finally:
        signal.signal(signal.SIGHUP, before)
    thread.join()
    assert (signals.received, daemon.methods) == (0, ["operation/start"])


def test_a_request_keeps_its_number_when_a_signal_comes_while_it_is_sent() -> None:
    class Connection:
        """Sends a request; the first one is interrupted by a handler that sends another."""

        def __init__(self) -> None:
            self.sent: list[int] = []

        def sendall(self, line: bytes) -> None:
            self.sent.append(json.loads(line)["id"])
            if len(self.sent) == 1:
                conversation.begin(messages.CANCEL, {})

    connection = Connection()
    conversation = Conversation(connection)  # type: ignore[arg-type]
    assert conversation.begin("operation/start", {}) == connection.sent[0] != connection.sent[1]
