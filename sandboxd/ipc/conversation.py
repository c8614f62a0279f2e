"""A command's connection to a daemon of its own version, without json, re, argparse or asyncio.

For commands that the daemon carries out in their place: they must cost little more than starting Python.
"""

from __future__ import annotations

import os
import sys

from sandboxd.errors import EXIT_BUG, DaemonError, SandboxdError
from sandboxd.ipc import messages
from sandboxd.ipc.dial import GREETING_SECONDS, WELCOME, NoAnswer, dial, hello

TYPE_CHECKING = False
if TYPE_CHECKING:
    from _socket import socket
    from collections.abc import Callable, Mapping
    from typing import Any


# Importing the module `json` costs a tenth of a command that the daemon answers.
def encode(value: Any) -> str:
    """`value` as JSON, in ASCII: objects, lists, strings, numbers, truth values and None."""
    from _json import encode_basestring_ascii as quote

    if isinstance(value, str):
        return quote(value)
    if value is None:
        return "null"
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, dict):
        pairs = [f"{quote(name)}:{encode(item)}" for name, item in value.items()]
        return f"{{{','.join(pairs)}}}"
    if isinstance(value, list | tuple):
        return f"[{','.join([encode(item) for item in value])}]"
    return repr(value)


def decode(line: bytes) -> Any:
    """The value in a line of JSON.

    :raises ValueError: the line is no JSON
    """
    from _json import make_scanner

    try:
        scanner = make_scanner(_Settings)  # type: ignore[arg-type]
        value, _ = scanner(line.decode("ascii").strip(), 0)
    except StopIteration:
        raise ValueError("not JSON") from None
    return value


class _Settings:
    """The attributes of a decoder that the scanner reads, with the defaults of `json`."""

    strict = True
    object_hook = None
    object_pairs_hook = None
    parse_float = float
    parse_int = int
    parse_constant = float


_SIZE = 262144
_DESCRIPTOR_BYTES = 4
_SIGNALS = 64


class Lost(DaemonError):
    """The daemon ended, or closed the connection, during an operation."""


class NotHere(Exception):
    """The daemon cannot act for this caller, whose environment or version differs; the caller does the work by
    itself.
    """


class Conversation:
    """A connection on which `hello` was answered, for one request after the other."""

    def __init__(self, connection: socket) -> None:
        self._connection = connection
        self._buffer = bytearray()
        self._number = 1
        self.descriptor = -1
        """The descriptor that came with an answer, -1 before."""
        self.waker = -1
        """A pipe that can be read once a signal came, -1 for none: its handler then runs at once, and not
        after the next message."""

    def ask(
        self,
        method: str,
        params: Mapping[str, object],
        tell: Callable[[str, bool], None] | None = None,
    ) -> Any:
        """Send a request and return the daemon's answer.

        :param tell: called with each progress text, and whether the next one replaces it on a terminal
        :raises NotHere: the daemon cannot act for this caller, who has to do it in its own process
        :raises KeyboardInterrupt: the operation was cancelled
        :raises SandboxdError: the operation failed; it has the exit code that the failure has everywhere
        :raises Lost: the connection broke, so it is not known how the operation ended
        """
        number = self.begin(method, params)
        while True:
            message = self._read()
            if message.get("method") == messages.PROGRESS and tell is not None:
                tell(str(message["params"]["text"]), bool(message["params"]["passing"]))
            if message.get("id") == number:
                return _result(message)

    def begin(self, method: str, params: Mapping[str, object]) -> int:
        """Send a request without waiting; returns the id of its answer.

        :raises Lost: the daemon is gone
        """
        # A handler of a signal begins a request of its own in the middle of this one.
        number = self._number = self._number + 1
        message = {"jsonrpc": "2.0", "id": number, "method": method, "params": dict(params)}
        try:
            self._connection.sendall(f"{encode(message)}\n".encode("ascii"))
        except OSError:
            raise _lost() from None
        return number

    def close(self) -> None:
        self._connection.close()

    def greet(self, environ: Mapping[str, str], cwd: str) -> None:
        """Send `hello`, which must be the first request.

        :raises NotHere: this is no daemon of our version
        :raises NoAnswer: it does not answer in time
        :raises OSError: it ended
        """
        self._connection.settimeout(GREETING_SECONDS)
        try:
            self._connection.sendall(hello(environ, cwd).encode("ascii"))
            welcome = self._line()
        except TimeoutError:
            raise NoAnswer(
                f"the daemon did not answer within {GREETING_SECONDS:.0f} s",
                "`sandboxd daemon stop` names its process where it hangs",
            ) from None
        if not welcome.startswith(WELCOME.encode("ascii")):
            raise NotHere
        self._connection.settimeout(None)

    def _read(self) -> dict[str, Any]:
        try:
            message = decode(self._line())
        except (OSError, ValueError):
            raise _lost() from None
        if not isinstance(message, dict):
            raise _lost()
        return message

    def _line(self) -> bytes:
        while (end := self._buffer.find(b"\n")) < 0:
            self._wait()
            part, extras, _, _ = self._connection.recvmsg(_SIZE, 64)
            for _level, _kind, data in extras:
                self.descriptor = int.from_bytes(data[:_DESCRIPTOR_BYTES], sys.byteorder)
            if not part or len(self._buffer) > messages.MAX_LINE:
                raise OSError("the daemon ended the connection")
            self._buffer += part
        line = bytes(self._buffer[:end])
        del self._buffer[: end + 1]
        return line

    def _wait(self) -> None:
        """Wait until bytes arrive or the connection ends, while handlers of signals may run.

        Python runs a handler between two of its own steps. A signal that comes between the last one and
        `recvmsg` does not end that wait; the byte that Python writes to the pipe ends this one.
        """
        if self.waker < 0:
            return
        from select import POLLIN, poll

        waiting = poll()
        for descriptor in (self._connection.fileno(), self.waker):
            waiting.register(descriptor, POLLIN)
        while True:
            ready = [descriptor for descriptor, _ in waiting.poll()]
            if self._connection.fileno() in ready:
                return
            os.read(self.waker, _SIGNALS)


def converse(environ: Mapping[str, str]) -> Conversation | None:
    """A connection to the running daemon; None without a daemon of this user and this version.

    :raises NoAnswer: there is one, but it does not answer
    """
    connection = None
    try:
        connection = dial(environ, GREETING_SECONDS)
        if connection is None:
            return None
        conversation = Conversation(connection)
        conversation.greet(environ, os.getcwd())
        return conversation
    except NoAnswer:
        if connection is not None:
            connection.close()
        raise
    except (ImportError, AttributeError, OSError, ValueError, DaemonError, NotHere):
        if connection is not None:
            connection.close()
        return None


def view(environ: Mapping[str, str], directory: str) -> messages.View:
    """The project folder and the user's folders as the caller sees them, for the daemon to compare.

    :raises OSError: the folder does not exist
    """
    status = os.stat(directory)
    names = messages.FOLDER_VARIABLES
    return {
        "directory": directory,
        "device": status.st_dev,
        "inode": status.st_ino,
        "folders": {name: environ[name] for name in names if name in environ},
    }


def _result(message: Mapping[str, Any]) -> Any:
    error = message.get("error")
    if error is None:
        return message.get("result")
    code = error.get("code")
    if code in (messages.NOT_HERE, messages.METHOD_NOT_FOUND, messages.INVALID_PARAMS):
        raise NotHere
    if code == messages.CANCELLED:
        raise KeyboardInterrupt
    data = error.get("data") or {}
    failure = SandboxdError(str(error.get("message")), str(data.get("hint", "")))
    failure.exit_code = int(data.get("exit", EXIT_BUG))
    failure.option = str(data.get("option", ""))
    raise failure


def _lost() -> Lost:
    return Lost("the daemon ended in the middle of it", "run the command again")
