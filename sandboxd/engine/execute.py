"""Run a command in a running container with our own streams, terminal, signals and exit code."""

from __future__ import annotations

import contextlib
import os
import re
import secrets
import signal
import socket
import ssl
import sys
import termios
import threading
import time
import tty
from typing import TYPE_CHECKING, Any, Protocol

from sandboxd.engine import failures
from sandboxd.engine.client import Exec
from sandboxd.errors import EnvironmentFailure

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from sandboxd.engine.client import Engine

_FORWARDED = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP, signal.SIGQUIT)
_MARK = "SANDBOXD_EXEC"
# The engine closes the stream a moment before it knows the exit code.
_CODE_SECONDS = 2.0
_KILLED = 128 + 9
_ENDING_SECONDS = 0.5
# A look at /proc takes 0.1 s; only a sandbox that hangs needs longer.
SHORT_SECONDS = 10.0
# What we ask a sandbox ourselves is answered in a few KiB; more would only fill our memory.
MOST_BYTES = 4 * 1024 * 1024
_LAUNCH_FAILED = b"OCI runtime exec failed"


class CannotRun(EnvironmentFailure):
    """The command cannot be started; exits as a shell would: 127 not found, 126 otherwise."""

    def __init__(self, command: str, words: str) -> None:
        self.exit_code = 126
        if re.search("not found|no such file", words):
            self.exit_code = 127
            message = f"the sandbox has no program `{command}`"
            hint = "check its spelling, or use an image that has it"
        elif "permission denied" in words:
            message = f"`{command}` is no program that this user may start in the sandbox"
            hint = "check its permissions inside, or use `sandboxd exec --root`"
        else:
            message = (
                f"`{command}` cannot be started in the sandbox: {' '.join(words.split())[:300]}"
            )
            hint = "`sandboxd shell` opens a shell to look around"
        super().__init__(message, hint)


class TooMuch(EnvironmentFailure):
    """The inside writes without end."""

    def __init__(self, what: str) -> None:
        super().__init__(
            f"the sandbox answers with too much: {what}",
            "look at what its image has in place of that program, or end it: `sandboxd down`",
        )


class Readable(Protocol):
    """What output is read from."""

    def recv(self, size: int, /) -> bytes:
        """At least one byte, or none at the end."""


class Limited:
    """A connection whose reads share one time limit."""

    def __init__(self, connection: socket.socket, seconds: float) -> None:
        self._connection = connection
        self._end = time.monotonic() + seconds

    def recv(self, size: int, /) -> bytes:
        left = self._end - time.monotonic()
        if left <= 0:
            raise TimeoutError
        self._connection.settimeout(left)
        return self._connection.recv(size)


def exec_(engine: Engine, container: str, request: Exec) -> int:
    """Run `request` and return its exit code; stdin, stdout and stderr are this process's own.

    :raises ContainerGone: the container is not running, or ended while the command ran
    """
    mark = secrets.token_hex(8)
    exec_id = engine.exec_create(container, request._replace(env=[*request.env, f"{_MARK}={mark}"]))
    connection, first = engine.exec_start(exec_id, request.tty)
    with connection, _terminal(engine, exec_id, request.tty):
        if request.stdin:
            threading.Thread(target=_feed, args=(connection,), daemon=True).start()
        with _signals(engine, container, request, mark):
            output = _Output()
            try:
                pump(connection, first, request.tty, output.write)
            except BrokenPipeError:
                # Our reader is gone (`| head`); without a word the command would write for ever.
                kill_marked(engine, container, request, f"{_MARK}={mark}", signal.SIGPIPE)
                raise
    code = wait_for_code(engine, container, exec_id)
    if output.failure:
        raise CannotRun(request.command[0], output.failure)
    return code


def pump(
    connection: Readable, first: bytes, tty: bool, write: Callable[[int, bytes], None]
) -> None:
    """Hand each piece of output to `write` (1 stdout, 2 stderr) until the stream ends."""
    if tty:
        piece = first
        while True:
            if piece:
                write(1, piece)
            piece = _receive(connection)
            if not piece:
                return
    buffer = bytearray(first)
    while True:
        while len(buffer) >= 8:
            size = int.from_bytes(buffer[4:8], "big")
            if len(buffer) < 8 + size:
                break
            write(buffer[0], bytes(buffer[8 : 8 + size]))
            del buffer[: 8 + size]
        piece = _receive(connection)
        if not piece:
            return
        buffer += piece


def wait_for_code(engine: Engine, container: str, exec_id: str) -> int:
    """The exit code of a command whose output has ended.

    :raises ContainerGone: the container ended with or before the command
    """
    deadline = time.monotonic() + _CODE_SECONDS
    while True:
        try:
            code = engine.exec_exit_code(exec_id)
        except failures.ContainerGone:
            raise _ended(engine, container) from None
        if code is not None:
            if code == _KILLED and _is_ending(engine, container):
                raise _ended(engine, container)
            return code
        if not _is_running(engine, container):
            raise _ended(engine, container)
        if time.monotonic() > deadline:
            raise EnvironmentFailure(
                "the command's output ended and the engine does not say how the command did",
                "run `sandboxd list` to see whether the sandbox is still there",
            )
        time.sleep(0.01)


def _receive(connection: Readable) -> bytes:
    try:
        return connection.recv(65536)
    except ConnectionResetError:
        return b""


class _Output:
    """Our own stdout and stderr; keeps back the runtime's words about a command it cannot start."""

    def __init__(self) -> None:
        self.failure = ""
        self._at_start = True

    def write(self, stream: int, data: bytes) -> None:
        if self._at_start and data.startswith(_LAUNCH_FAILED):
            self.failure = data.decode("utf-8", "replace")
            return
        self._at_start = False
        target = sys.stderr.buffer if stream == 2 else sys.stdout.buffer
        target.write(data)
        target.flush()


def _feed(connection: socket.socket) -> None:
    """Our stdin into the command, and its end too; the command may be gone at any time."""
    with contextlib.suppress(OSError):
        while data := os.read(0, 65536):
            connection.sendall(data)
        # A TLS connection cannot be closed in one direction: the engine would end both.
        if not isinstance(connection, ssl.SSLSocket):
            connection.shutdown(socket.SHUT_WR)


@contextlib.contextmanager
def _terminal(engine: Engine, exec_id: str, tty_wanted: bool) -> Iterator[None]:
    """Raw mode, and the window's size kept the same on both sides."""
    if not tty_wanted:
        yield
        return

    def resize(*_: object) -> None:
        size = os.get_terminal_size(sys.stdout.fileno())
        engine.exec_resize(exec_id, size.lines, size.columns)

    saved = termios.tcgetattr(0)
    before = signal.signal(signal.SIGWINCH, resize)
    try:
        tty.setraw(0)
        resize()
        yield
    finally:
        termios.tcsetattr(0, termios.TCSADRAIN, saved)
        signal.signal(signal.SIGWINCH, before)


@contextlib.contextmanager
def _signals(engine: Engine, container: str, request: Exec, mark: str) -> Iterator[None]:
    """Pass the signals that we get on to the command; the engine has no call for that."""

    def forward(number: int, _frame: object) -> None:
        kill_marked(engine, container, request, f"{_MARK}={mark}", number)

    before: dict[signal.Signals, Any] = {}
    if not request.tty and threading.current_thread() is threading.main_thread():
        before = {number: signal.signal(number, forward) for number in _FORWARDED}
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


def kill_marked(engine: Engine, container: str, request: Exec, variable: str, number: int) -> None:
    """Signal the processes whose environment holds `variable`.

    The engine has no call for that; another command of the same user can find and signal them.
    """
    script = (
        f"for d in /proc/[0-9]*; do grep -q {variable} $d/environ 2>/dev/null"
        f" && kill -{number} ${{d#/proc/}}; done"
    )
    with contextlib.suppress(EnvironmentFailure):
        run_quietly(engine, container, Exec(["sh", "-c", script], user=request.user))


def run_quietly(
    engine: Engine, container: str, request: Exec, seconds: float = SHORT_SECONDS
) -> tuple[int, bytes]:
    """Run a short command without our streams; its exit code and what it wrote.

    :raises EnvironmentFailure: it does not end within `seconds`, or writes without end
    """
    exec_id = engine.exec_create(container, request)
    connection, first = engine.exec_start(exec_id, request.tty)
    written = bytearray()

    def keep(_: int, data: bytes) -> None:
        written.extend(data)
        if len(written) > MOST_BYTES:
            raise TooMuch(f"`{request.command[0]}` wrote more than {MOST_BYTES >> 20} MiB")

    with connection:
        limited = Limited(connection, seconds)
        try:
            pump(limited, first, request.tty, keep)
        except TimeoutError:
            raise EnvironmentFailure(
                f"the sandbox does not answer: `{request.command[0]}` ran longer than {seconds:g} s",
                "end it (`sandboxd down`) and start it again (`sandboxd up`)",
            ) from None
    return wait_for_code(engine, container, exec_id), bytes(written)


def _is_ending(engine: Engine, container: str) -> bool:
    """Whether a command was killed because its container ends; the engine knows it a bit later."""
    deadline = time.monotonic() + _ENDING_SECONDS
    while time.monotonic() < deadline:
        if not _is_running(engine, container):
            return True
        time.sleep(0.02)
    return False


def _is_running(engine: Engine, container: str) -> bool:
    try:
        return bool(engine.inspect(container)["State"].get("Running"))
    except failures.ContainerGone:
        return False


def _ended(engine: Engine, container: str) -> failures.ContainerGone:
    try:
        state = engine.inspect(container)["State"]
    except failures.ContainerGone:
        return failures.ContainerGone(
            "the sandbox was removed while the command ran", "`sandboxd up` starts a new one"
        )
    if state.get("OOMKilled"):
        return failures.ContainerGone(
            "the sandbox ran out of memory and was killed while the command ran",
            "raise its memory limit, or start it again: `sandboxd up`",
        )
    return failures.ContainerGone(
        "the sandbox stopped while the command ran",
        "`sandboxd logs` shows its last words; `sandboxd up` starts it again",
    )
