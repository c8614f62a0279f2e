"""Opens the stream into a sandbox: a command there runs the relay, by the image's Python or by one that is sent in."""

from __future__ import annotations

import contextlib
import os
import secrets
import ssl
from collections.abc import Callable
from typing import TYPE_CHECKING

from sandboxd.engine.client import Exec
from sandboxd.engine.execute import run_quietly
from sandboxd.engine.frames import Frames
from sandboxd.engine.payload import interpreter, programs
from sandboxd.errors import EnvironmentFailure
from sandboxd.inside import frames, pipes, ports, relay

if TYPE_CHECKING:
    import socket
    from types import ModuleType

    from sandboxd.engine.client import Engine

_SIZE = 256 * 1024
_PYTHON = "import sys; sys.exit(sys.version_info < (3, 8))"
# Its text is the beginning of its input: as an argument it would fill every list of processes.
_START = "import os; text = b''\nwhile len(text) < {size}: text += os.read(0, {size} - len(text))\nexec(text)"
_UNPACK_SECONDS = 60.0
_LOOK_SECONDS = 10.0
# Behind it nothing is left, however it ends.
_RUN = 'home=$1; shift; trap \'rm -rf "$home"\' EXIT; trap "exit 0" HUP TERM; "$@"'
_MOST_WORDS = 2000
_MOST_PIECES = 16
"""Pieces that one `receive` looks through: whoever is inside may write to stderr alone, and for ever."""

Inside = Callable[[list[str], bytes, float, Callable[[int, bytes], None]], int]
"""Runs a command in a sandbox with this standard input and a time limit in seconds, and passes its output on.

The output comes in pieces with their stream (1 stdout, 2 stderr); the exit code is returned."""


class Trunk:
    """The non-blocking connection to the relay's command inside; `words` collects what the command writes to stderr."""

    def __init__(self, connection: socket.socket, first: bytes) -> None:
        connection.setblocking(False)
        self._connection = connection
        self._frames = Frames()
        self._first = first
        self.has_more = False
        """Whether `receive` returned None although more may have arrived."""
        self.words = ""
        """The command's output on stderr."""

    @property
    def reader(self) -> int:
        """The file descriptor to wait on before `receive`."""
        return self._connection.fileno()

    @property
    def writer(self) -> int:
        """The file descriptor to wait on before `send`."""
        return self._connection.fileno()

    def receive(self) -> bytes | None:
        """The bytes that have arrived; None if there are none yet, b"" at the end of the stream."""
        self.has_more = False
        for _ in range(_MOST_PIECES):
            data, self._first = self._first or self._read(), b""
            if not data:
                return data
            output = bytearray()
            for stream, piece in self._frames.take(data):
                if stream == 1:
                    output += piece
                elif len(self.words) < _MOST_WORDS:
                    self.words += piece.decode("utf-8", "replace")
            if output:
                return bytes(output)
        self.has_more = True
        return None

    def send(self, data: memoryview) -> int:
        """Send the beginning of `data`; returns the number of bytes that were sent, 0 if none can be sent now."""
        try:
            return self._connection.send(data)
        except (BlockingIOError, ssl.SSLWantReadError, ssl.SSLWantWriteError):
            return 0

    def close(self) -> None:
        """Close the connection, which ends the command inside."""
        self._connection.close()

    def _read(self) -> bytes | None:
        try:
            return self._connection.recv(_SIZE)
        except (BlockingIOError, ssl.SSLWantReadError, ssl.SSLWantWriteError):
            return None
        except ConnectionResetError:
            return b""


def open_trunk(
    engine: Engine, container: str, cache_folder: str | None, end: ModuleType = ports
) -> Trunk:
    """Start the relay in a running container; parameters and errors are those of `open_program`.

    :param end: the module whose source text is the inner end of the relay
    """
    return open_program(engine, container, cache_folder, program(end))


def open_program(engine: Engine, container: str, cache_folder: str | None, text: str) -> Trunk:
    """Start the program `text` in a running container; returns the connection to it.

    :param cache_folder: the folder that caches a Python to send in; None for no cache
    :raises EnvironmentFailure: the image has no Python, nor the programs to unpack one that is sent in
    """

    def inside(
        command: list[str], data: bytes, seconds: float, write: Callable[[int, bytes], None]
    ) -> int:
        if data:
            return programs.run(engine, container, Exec(command), data, seconds, write)
        return run_quietly(engine, container, Exec(command))[0]

    request, beginning = _prepare(inside, cache_folder, text)
    exec_id = engine.exec_create(container, request)
    connection, first = engine.exec_start(exec_id, tty=False)
    # Where the command has ended already, the end of the stream says so with its words.
    with contextlib.suppress(OSError):
        connection.sendall(beginning)
    return Trunk(connection, first)


def prepare(
    inside: Inside, cache_folder: str | None, end: ModuleType = ports
) -> tuple[Exec, bytes]:
    """The command that runs the relay in a sandbox, and the beginning of its input.

    :param inside: runs a command there, passes its output on, and returns its exit code
    :param cache_folder: the folder that caches a Python to send in; None for no cache
    :param end: the module whose source text is the inner end of the relay
    :raises EnvironmentFailure: the image has no Python, nor the programs to unpack one that is sent in; or a command
        inside does not end
    """
    return _prepare(inside, cache_folder, program(end))


def _prepare(inside: Inside, cache_folder: str | None, text: str) -> tuple[Exec, bytes]:
    """Bring the program `text` into the sandbox; otherwise as `prepare`."""
    try:
        return _prepared(inside, cache_folder, text.encode())
    except TimeoutError:
        raise EnvironmentFailure(
            "no relay starts in the sandbox: a command in it does not end",
            "`sandboxd shell` opens a shell to look around; `sandboxd restart` starts it anew",
        ) from None


def _prepared(inside: Inside, cache_folder: str | None, text: bytes) -> tuple[Exec, bytes]:
    """As `_prepare`.

    :raises TimeoutError: a command inside does not end
    """
    own = ["python3", "-I", "-c", _PYTHON]
    if inside(own, b"", _LOOK_SECONDS, lambda _stream, _data: None) == 0:
        return Exec(["python3", "-I", "-c", _START.format(size=len(text))], stdin=True), text
    return _bring(inside, text, cache_folder), b""


def program(end: ModuleType = ports) -> str:
    """The source text of the program inside: frames, the relay and its inner end, without docstrings and comments."""
    return programs.of_modules((frames, relay, pipes, end))


def _bring(inside: Inside, text: bytes, cache_folder: str | None) -> Exec:
    """Unpack our own Python inside; returns the command that runs the relay by it and then removes it.

    :raises EnvironmentFailure: it cannot be unpacked there
    """
    modules = programs.imported_by([text.decode()])
    archive = interpreter.archive(text, modules, cache_folder)
    mark = secrets.token_hex(8)
    output = bytearray()
    words = ["sh", "-c", interpreter.UNPACK, "sh", mark]
    code = inside(words, archive, _UNPACK_SECONDS, lambda _, data: output.extend(data))
    home = output.decode("utf-8", "replace").strip()
    if code or not home.endswith(f"/sandboxd-python-{mark}"):
        reason = interpreter.REASONS.get(code, f"exit code {code}")
        raise EnvironmentFailure(
            f"no relay can run in this image: it has no Python, and {reason}",
            "use an image that has Python 3.8, or `sh` and `tar`",
        )
    command = interpreter.command(home, os.path.join(home, "program.py"))
    return Exec(
        ["sh", "-c", _RUN, "sh", home, *command], env=interpreter.environment(home), stdin=True
    )
