"""Operations that a daemon does for a command. Imports nothing slow."""

from __future__ import annotations

import os

from sandboxd import terminal
from sandboxd.cli.cancelling_remotely import Signals
from sandboxd.cli.interruption import Interrupted
from sandboxd.engine.frames import Chunks, pump
from sandboxd.errors import DaemonError
from sandboxd.ipc import messages
from sandboxd.ipc.conversation import Lost, NotHere, converse, view
from sandboxd.ipc.dial import NoAnswer

TYPE_CHECKING = False
if TYPE_CHECKING:
    from _socket import socket
    from collections.abc import Callable, Mapping
    from typing import Any

    from sandboxd.cli.daemon_start import NotRunning
    from sandboxd.errors import SandboxdError
    from sandboxd.ipc.conversation import Conversation

_SIGINT = 2
_ANSWER_SECONDS = 10.0
"""Seconds that an engine that is not followed may be silent; `engine.connection` has the same."""


def operate(
    method: str,
    directory: str,
    options: Mapping[str, object],
    tell: Callable[[str, bool], None],
    *,
    starts_daemon: bool | None = None,
    tell_open: Callable[[NotRunning], None] | None = None,
) -> Any:
    """The result of an operation that a running daemon does; None where the caller has to do it itself.

    Ctrl-C, a request to end and the end of the terminal cancel it; a second one ends this process at once.

    :param tell: called with each step (text, whether the next one replaces it)
    :param starts_daemon: start one where none runs and the config can be read, for what leaves a sandbox running;
        None: whether one runs does not matter
    :param tell_open: called where `starts_daemon` is not None and none runs, with what to give `daemon_start.say_open`
    :raises SandboxdError: it failed
    :raises Interrupted: it was cancelled
    """
    if not os.path.isdir(directory):
        # The daemon compares the folder with its own view of it; whether it has to be there says the operation.
        return None
    conversation = _conversation(
        starts_daemon, tell_open, lambda: _require_config(directory, str(options.get("name", "")))
    )
    if conversation is None:
        return None
    signals = Signals(conversation)
    try:
        with signals:
            caller_view = view(os.environ, directory)
            return conversation.ask(method, {**options, "view": caller_view}, tell)
    except NotHere:
        return None
    except KeyboardInterrupt:
        raise Interrupted(signals.received or _SIGINT) from None
    except Lost:
        if signals.received:
            raise Interrupted(signals.received) from None
        terminal.status("the daemon ended in the middle of it; going on without it")
        return None
    finally:
        conversation.close()


class RemoteCommand:
    """A command in a sandbox that the daemon started, for `cli.attend`."""

    def __init__(self, conversation: Conversation, begun: messages.Begun, user: str) -> None:
        self.connection = _socket_of(conversation.descriptor)
        self.first: bytes = begun["first"].encode("latin-1")
        self._conversation = conversation
        self._begun = begun
        self._user = user
        self._lock = _new_lock()

    def resize(self, rows: int, columns: int) -> None:
        """Set the size of the command's terminal, in characters."""
        size: messages.Resize = {"rows": rows, "columns": columns}
        self._ask(messages.EXEC_RESIZE, size)

    def kill(self, number: int) -> None:
        """Send a signal to the command's processes."""
        signal: messages.Signal = {"number": number}
        if self._ask(messages.EXEC_SIGNAL, signal) is None:
            self._directly().kill(number)

    def close(self) -> None:
        """Close the command's connection; it may go on."""
        self.connection.close()

    def exit_code(self) -> int:
        """The command's exit code, once its output has ended.

        :raises ContainerGone: the container ended with or before it
        """
        answer: messages.Code | None = self._ask(messages.EXEC_CODE, {})
        return answer["code"] if answer is not None else int(self._directly().exit_code())

    def halt_error(self) -> SandboxdError | None:
        """The error that says that its sandbox was halted meanwhile; None while it goes on."""
        from sandboxd.engine.client import connect_from
        from sandboxd.life import halts

        return halts.came_to(self._begun["container"], lambda: connect_from(os.environ))

    def _ask(self, method: str, params: Mapping[str, object]) -> Any:
        """The daemon's answer; None when the connection broke."""
        with self._lock:
            try:
                return self._conversation.ask(method, params)
            except (Lost, NotHere):
                return None

    def _directly(self) -> Any:
        """The same command over a connection of this process to the engine, for when the daemon has ended."""
        from sandboxd.engine.client import connect_from
        from sandboxd.life.command import Command

        begun = self._begun
        return Command(
            connect_from(os.environ),
            begun["container"],
            begun["exec_id"],
            begun["variable"],
            self._user,
            self.connection,  # type: ignore[arg-type]
            b"",
        )


def begin(
    directory: str,
    command: list[str],
    *,
    tty: bool,
    stdin: bool,
    user: str = "",
    env: list[str],
    working_dir: str = "",
    name: str = "",
    starts_daemon: bool | None = None,
    tell_open: Callable[[NotRunning], None] | None = None,
) -> RemoteCommand | None:
    """Begin a command through a daemon; None where the caller has to begin it itself.

    :param command: [] for a shell
    :param starts_daemon: as `operate`, and so `tell_open`
    :raises SandboxdError: it cannot be begun
    :raises DaemonError: the connection broke, so it is not known whether it began
    """
    conversation = _conversation(starts_daemon, tell_open)
    if conversation is None:
        return None
    try:
        params: messages.Exec = {
            "view": view(os.environ, directory),
            "command": command,
            "tty": tty,
            "stdin": stdin,
            "user": user,
            "env": env,
            "working_dir": working_dir,
            "name": name,
        }
        begun: messages.Begun = conversation.ask(messages.EXEC, params)
        return RemoteCommand(conversation, begun, user)
    except NotHere:
        conversation.close()
        return None
    except Lost:
        raise DaemonError(
            "the daemon ended while the command was begun: it may have run",
            "look at what it did, then run it again",
        ) from None


def logs(
    directory: str,
    write: Callable[[int, bytes], None],
    *,
    on: str,
    name: str,
    follow: bool,
    tail: str,
    since: int,
) -> bool:
    """Hand the output of a sandbox's main process to `write` (1 stdout, 2 stderr), until it ends.

    False: no daemon did it, and nothing was written; the caller asks the backend by itself.

    :param on: the context of the cluster that it runs on, which no daemon asks; '' for this machine
    :raises SandboxdError: there is no sandbox, or the engine breaks off
    """
    conversation = None if on else _conversation()
    if conversation is None:
        return False
    try:
        params: messages.Logs = {
            "view": view(os.environ, directory),
            "follow": follow,
            "tail": tail,
            "since": since,
            "name": name,
        }
        answer: messages.Shown = conversation.ask(messages.LOGS, params)
    except (NotHere, Lost):
        return False
    finally:
        conversation.close()
    connection = _socket_of(conversation.descriptor)
    # One that follows may be silent for days.
    connection.settimeout(None if follow else _ANSWER_SECONDS)
    try:
        body = Chunks(connection, answer["first"].encode("latin-1"))
        pump(_Checked(body), b"", answer["tty"], write)
    except _Broken as broken:
        from sandboxd.engine.failures import unreachable

        raise unreachable(answer["engine"], broken.error, _ANSWER_SECONDS) from None
    finally:
        connection.close()
    return True


class _Broken(Exception):
    """The engine broke off, or is silent for too long: `error` says how."""

    def __init__(self, error: Exception) -> None:
        super().__init__(str(error))
        self.error = error


class _Checked:
    """A response body that tells its own read errors from the errors of the function that writes."""

    def __init__(self, body: Chunks) -> None:
        self._body = body

    def recv(self, size: int, /) -> bytes:
        try:
            return self._body.recv(size)
        except (OSError, ValueError) as error:
            raise _Broken(error) from None


def _require_config(directory: str, name: str) -> None:
    """:raises UsageError: the config of the sandbox `name` of the project cannot be read"""
    from sandboxd.project import Project

    Project.open(directory, os.environ, name)


def _conversation(
    starts: bool | None = None,
    tell_open: Callable[[NotRunning], None] | None = None,
    before_start: Callable[[], None] = lambda: None,
) -> Conversation | None:
    """A conversation with the daemon; None without one, which is said where it is there but silent.

    :param starts: as in `operate`, and so `tell_open`
    :param before_start: raises what keeps a daemon from being started
    """
    try:
        conversation = converse(os.environ)
        if conversation is not None or starts is None:
            return conversation
        from sandboxd.cli import daemon_start

        if starts:
            before_start()
        without = daemon_start.start(os.environ, is_wanted=starts)
        if without is not None and tell_open is not None:
            tell_open(without)
        return converse(os.environ) if without is None else None
    except NoAnswer as error:
        terminal.status(f"{error.message}; going on without it")
        terminal.status(f"  hint: {error.hint}")
        return None


def _socket_of(descriptor: int) -> socket:
    import _socket

    connection = _socket.socket(fileno=descriptor)
    connection.setblocking(True)
    return connection


def _new_lock() -> Any:
    from _thread import allocate_lock

    return allocate_lock()
