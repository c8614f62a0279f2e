"""A command inside, from this side: its streams, its signals, the words that it could not start."""

from __future__ import annotations

import contextlib
import os
import signal
import socket
import sys
import threading
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from sandboxd.cli import attend, halt_look
from sandboxd.cli.command_output import CannotRun, Output
from sandboxd.engine.failures import ContainerGone
from sandboxd.errors import EnvironmentFailure, SandboxdError
from tests.patience import PATIENCE, eventually


def frame(stream: int, data: bytes) -> bytes:
    return bytes([stream, 0, 0, 0]) + len(data).to_bytes(4, "big") + data


class Command:
    """A command whose other end is ours."""

    def __init__(self, first: bytes = b"", code: int = 0) -> None:
        self.connection, self.inside = socket.socketpair()
        self.first = first
        self.code = code
        self.signals: list[int] = []
        self.asked = 0
        """How many signals it was asked to take so far, taken or not."""
        self.answers = threading.Event()
        self.answers.set()

    def resize(self, rows: int, columns: int) -> None:
        raise AssertionError("it has no terminal")

    def kill(self, number: int) -> None:
        self.asked += 1
        self.answers.wait(PATIENCE)
        self.signals.append(number)
        if number == signal.SIGTERM:
            self.inside.close()

    def exit_code(self) -> int:
        return self.code

    def halt_error(self) -> SandboxdError | None:
        return None


def begin(act: Callable[[], None], number: int = signal.SIGINT) -> threading.Thread:
    """Do something in a thread as soon as the signal `number` is caught; before, it would end us."""
    before = signal.getsignal(number)

    def act_when_caught() -> None:
        eventually(lambda: signal.getsignal(number) is not before)
        act()

    thread = threading.Thread(target=act_when_caught)
    thread.start()
    return thread


def attended(command: Command, name: str) -> int:
    with attend._Surroundings(tty=False) as surroundings:
        return attend.attend(command, name, surroundings, Output(), stdin=False)


def test_the_output_and_the_exit_code_of_a_command_are_ours(
    capfdbinary: pytest.CaptureFixture[bytes],
) -> None:
    command = Command(frame(1, b"early "), code=7)
    command.inside.sendall(frame(2, b"err") + frame(1, b"late"))
    command.inside.close()
    assert attended(command, "x") == 7
    captured = capfdbinary.readouterr()
    assert (captured.out, captured.err) == (b"early late", b"err")


def test_a_command_that_was_never_started(capfdbinary: pytest.CaptureFixture[bytes]) -> None:
    command = Command(frame(1, b"OCI runtime exec failed: exec: no such file or directory"))
    command.inside.close()
    with pytest.raises(CannotRun, match="no program `nosuch`"):
        attended(command, "nosuch")
    assert capfdbinary.readouterr().out == b""


def test_a_signal_is_passed_on_and_waits_for_nobody() -> None:
    command = Command(code=143)
    command.answers.clear()

    def act() -> None:
        os.kill(os.getpid(), signal.SIGTERM)
        eventually(lambda: command.asked)
        # Only now does the engine take it: the handler is long back.
        command.answers.set()

    before = signal.getsignal(signal.SIGTERM)
    begin(act, signal.SIGTERM)
    assert attended(command, "x") == 143
    assert command.signals == [signal.SIGTERM]
    assert signal.getsignal(signal.SIGTERM) == before


def test_a_signal_is_passed_on_while_our_read_goes_on() -> None:
    """The kernel may deliver one just before a read begins, and nothing wakes that read."""
    command = Command(code=143)

    def act() -> None:
        # Delivered to this thread, it wakes no read of the main one.
        signal.pthread_kill(threading.get_ident(), signal.SIGTERM)

    begin(act, signal.SIGTERM)
    # It ends the read where the signal does not.
    end = threading.Timer(PATIENCE, command.inside.close)
    end.start()
    assert attended(command, "x") == 143
    assert end.is_alive(), "the signal waited for the end of the read"
    end.cancel()
    assert command.signals == [signal.SIGTERM]


def test_signals_of_others_are_noted_in_their_pipe_again() -> None:
    command = Command()
    command.inside.close()
    reader, writer = os.pipe()
    os.set_blocking(writer, False)
    before = signal.set_wakeup_fd(writer)
    try:
        attended(command, "x")
    finally:
        assert signal.set_wakeup_fd(before) == writer
        os.close(reader)
        os.close(writer)


def pipes() -> set[str]:
    """The pipes of this process; a number may be another one's soon, the name of a pipe is not."""
    names = set()
    for entry in Path("/proc/self/fd").iterdir():
        with contextlib.suppress(FileNotFoundError):
            names.add(os.readlink(entry))
    return {name for name in names if name.startswith("pipe:")}


@pytest.mark.skipif(sys.platform != "linux", reason="reads /proc")
def test_no_pipe_is_left_behind() -> None:
    before = pipes()
    with attend._Surroundings(tty=False):
        assert pipes() - before
    # Of a command that could not be begun; others of this process may open some of their own for a moment.
    eventually(lambda: pipes() <= before, pipes)
    command = Command()
    command.inside.close()
    attended(command, "x")
    eventually(lambda: pipes() <= before, pipes)


@pytest.fixture
def late_interrupts_harm_nobody() -> Iterator[None]:
    """One that comes when nobody catches it any more must not end the test runner."""
    before = signal.signal(signal.SIGINT, lambda _number, _frame: None)
    yield
    signal.signal(signal.SIGINT, before)


@pytest.mark.usefixtures("late_interrupts_harm_nobody")
def test_a_sandbox_that_hangs_does_not_hold_us() -> None:
    command = Command()
    command.answers.clear()
    over = threading.Event()

    def act() -> None:
        # Of two that come before we run again the system makes one.
        while not over.wait(0.05):
            os.kill(os.getpid(), signal.SIGINT)

    interrupts = begin(act)
    with pytest.raises(KeyboardInterrupt):
        try:
            attended(command, "x")
        finally:
            over.set()
            interrupts.join()
    command.answers.set()


@pytest.mark.usefixtures("late_interrupts_harm_nobody")
def test_the_second_interrupt_after_a_while_ends_us_at_once(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(attend, "_PATIENCE_SECONDS", 0.05)
    command = Command()
    command.answers.clear()
    over = threading.Event()
    sent: list[int] = []

    def act() -> None:
        for count in (1, 2):
            sent.append(count)
            os.kill(os.getpid(), signal.SIGINT)
            eventually(lambda: command.asked or over.is_set())
            if over.wait(0.1):
                return

    interrupts = begin(act)
    with pytest.raises(KeyboardInterrupt):
        try:
            attended(command, "x")
        finally:
            over.set()
            interrupts.join()
    assert sent == [1, 2]
    command.answers.set()


@pytest.mark.usefixtures("late_interrupts_harm_nobody")
def test_a_command_that_takes_its_signals_may_take_many() -> None:
    command = Command(code=143)

    def act() -> None:
        for count in range(1, 8):
            os.kill(os.getpid(), signal.SIGINT)
            eventually(lambda n=count: len(command.signals) >= n)
        os.kill(os.getpid(), signal.SIGTERM)

    begin(act)
    assert attended(command, "x") == 143
    assert command.signals == [signal.SIGINT] * 7 + [signal.SIGTERM]


def test_a_sandbox_that_is_halted_meanwhile_ends_the_wait(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    class Halted(Command):
        def halt_error(self) -> SandboxdError | None:
            return EnvironmentFailure("the sandbox is halted", "make it anew")

    monkeypatch.setattr(halt_look, "_SECONDS", 0.01)
    command = Halted()
    # It ends the read where the look does not.
    end = threading.Timer(PATIENCE, command.inside.close)
    end.start()
    with pytest.raises(EnvironmentFailure, match="is halted"):
        attended(command, "x")
    assert end.is_alive(), "the halt waited for the end of the read"
    end.cancel()


def test_the_sandbox_ends_first() -> None:
    class Gone(Command):
        def exit_code(self) -> int:
            raise ContainerGone("the sandbox stopped", "")

    command = Gone()
    command.inside.close()
    with pytest.raises(ContainerGone):
        attended(command, "x")


@pytest.mark.parametrize(
    ("words", "code"),
    [
        ('exec: "x": executable file not found in $PATH: unknown', 127),
        ('error finding executable "x" in PATH [/bin]: no such file or directory', 127),
        ('exec: "/etc": is a directory: unknown: permission denied', 126),
        ("something else", 126),
    ],
)
def test_a_command_that_cannot_start_exits_like_a_shell(words: str, code: int) -> None:
    error = CannotRun("x", words)
    assert error.exit_code == code
    assert "`x`" in error.message
    assert error.hint


def test_an_engine_without_room_is_no_fault_of_the_command() -> None:
    words = "OCI runtime exec failed: write /tmp/runc-process1: no space left on device: unknown"
    error = CannotRun("x", words)
    assert "the engine starts no program in the sandbox" in error.message
    assert (error.exit_code, "`x`" in error.message) == (126, False)


def test_the_program_that_asks_is_named_in_full_where_the_path_lacks_its_folder() -> None:
    words = 'error finding executable "sandboxd-ask" in PATH [/bin]: no such file or directory'
    assert CannotRun("sandboxd-ask", words).hint.startswith("`/usr/local/bin/sandboxd-ask` ")


def test_only_the_runtime_s_first_words_are_kept_back(
    capfdbinary: pytest.CaptureFixture[bytes],
) -> None:
    output = Output()
    output.write(1, b"hello ")
    output.write(1, b"OCI runtime exec failed is what my program prints")
    output.write(2, b"err")
    assert output.failure == ""
    captured = capfdbinary.readouterr()
    assert captured.out == b"hello OCI runtime exec failed is what my program prints"
    assert captured.err == b"err"


def test_the_end_of_the_output_is_kept(capfd: pytest.CaptureFixture[str]) -> None:
    output = Output(4)
    for piece in (b"abc", b"defghij", b"kl"):
        output.write(1, piece)
    assert output.end[-4:] == b"ijkl" and len(output.end) <= 8
    assert capfd.readouterr().out == "abcdefghijkl"
    nothing = Output()
    nothing.write(1, b"abc")
    assert nothing.end == b""
