"""Commands in a running container: their output, their signals, their exit code."""

from __future__ import annotations

import contextlib
import socket
import time
from typing import TYPE_CHECKING

from sandboxd.deadline import looks_within
from sandboxd.engine import failures
from sandboxd.engine.client import Exec
from sandboxd.engine.frames import pump
from sandboxd.errors import EnvironmentFailure
from sandboxd.signal_script import NO_PROCESS, signal_script

if TYPE_CHECKING:
    from sandboxd.engine.client import Engine

# The engine closes the stream a moment before it knows the exit code; on a busy machine that is seconds.
_CODE_SECONDS = 20.0
_KILLED = 128 + 9
_STDOUT = 1
_LAUNCH_FAILED = b"OCI runtime exec failed: "
_ENDING_SECONDS = 2.0
# A look at /proc takes 0.1 s; only a sandbox that hangs needs longer.
SHORT_SECONDS = 30.0
# Our own commands answer with a few KiB; the limit bounds memory.
MOST_BYTES = 4 * 1024 * 1024


class TooMuch(EnvironmentFailure):
    """The command writes more output than is accepted."""

    def __init__(self, what: str) -> None:
        super().__init__(
            f"the sandbox answers with too much: {what}",
            "look at what its image has in place of that program, or end it: `sandboxd down`",
        )


class Limited:
    """A connection whose reads have one time limit together."""

    def __init__(self, connection: socket.socket, seconds: float) -> None:
        self._connection = connection
        self._looks = looks_within(seconds)

    def recv(self, size: int, /) -> bytes:
        seconds = next(self._looks, None)
        if seconds is None:
            raise TimeoutError
        self._connection.settimeout(seconds)
        try:
            return self._connection.recv(size)
        except BlockingIOError:
            raise TimeoutError from None


def wait_for_code(engine: Engine, container: str, exec_id: str) -> int:
    """The exit code of a command whose output has ended.

    :raises ContainerGone: the container ended with or before the command
    """
    for _ in looks_within(_CODE_SECONDS):
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
        time.sleep(0.01)
    raise EnvironmentFailure(
        "the command's output ended and the engine does not say how the command did",
        "run `sandboxd list` to see whether the sandbox is still there",
    )


def require_started(code: int, output: bytes) -> None:
    """Raise if the container runtime itself failed to start a program; no error if the program failed or is missing.

    :param code: the exit code
    :param output: the beginning of the output
    :raises CannotLaunch: the runtime failed
    """
    if code and output.startswith(_LAUNCH_FAILED):
        failure = failures.launch_failure(output.decode("utf-8", "replace"))
        if failure is not None:
            raise failure


def kill_marked(
    engine: Engine,
    container: str,
    user: str,
    variable: str,
    number: int,
    seconds: float = SHORT_SECONDS,
) -> bool:
    """Signal the processes of `user` in a container whose environment contains `variable`.

    The engine has no call for that, so a command runs inside as the same user.

    :param variable: ``NAME=value``
    :param number: of the signal
    :param seconds: the time limit; after it nothing more is tried
    :returns: False if no such process exists; True if they were signalled, and if no answer came
    """
    with contextlib.suppress(EnvironmentFailure):
        request = Exec(["sh", "-c", signal_script(variable, number)], user=user)
        return run_quietly(engine, container, request, seconds)[0] != NO_PROCESS
    return True


def run_quietly(
    engine: Engine,
    container: str,
    request: Exec,
    seconds: float = SHORT_SECONDS,
    *,
    stdout_only: bool = False,
) -> tuple[int, bytes]:
    """Run a short command without input; returns its exit code and its output, of which stderr is a part.

    :param stdout_only: leave out what it wrote to stderr
    :raises EnvironmentFailure: it does not end within `seconds`, or writes too much
    """
    exec_id = engine.exec_create(container, request)
    connection, first = engine.exec_start(exec_id, request.tty)
    written = bytearray()

    def keep(stream: int, data: bytes) -> None:
        if stdout_only and stream != _STDOUT:
            return
        written.extend(data)
        if len(written) > MOST_BYTES:
            raise TooMuch(f"`{request.command[0]}` wrote more than {MOST_BYTES >> 20} MiB")

    with connection:
        limited = Limited(connection, seconds)
        try:
            pump(limited, first, request.tty, keep)
        except TimeoutError:
            raise failures.NoAnswer(
                f"the sandbox does not answer: `{request.command[0]}` ran longer than {seconds:g} s",
                "end it (`sandboxd down`) and start it again (`sandboxd up`)",
            ) from None
    code = wait_for_code(engine, container, exec_id)
    require_started(code, bytes(written))
    return code, bytes(written)


def _is_ending(engine: Engine, container: str) -> bool:
    """Whether a command was killed because its container ends; the engine knows it a bit later."""
    for _ in looks_within(_ENDING_SECONDS):
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
