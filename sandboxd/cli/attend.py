"""A command inside, with this process's streams, terminal, signals and exit code.

Imports nothing slow: `exec` may take little longer than the engine's own client."""

from __future__ import annotations

import _signal as signal  # type: ignore[import-not-found]  # `signal` imports enum
import os
import sys
from _thread import start_new_thread
from time import monotonic

from sandboxd.cli.command_output import LONGEST_END, CannotRun, Output
from sandboxd.cli.halt_look import HaltLook
from sandboxd.cli.interruption import Interrupted
from sandboxd.engine.frames import pump
from sandboxd.errors import SandboxdError
from sandboxd.sync import is_used

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from types import FrameType
    from typing import Any

    from sandboxd.backends.command import Attended, Stream
    from sandboxd.cli.daemon_start import NotRunning
    from sandboxd.life.command import Command


_FORWARDED = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP, signal.SIGQUIT)
_SIZE = 65536
_SHUT_WR = 1
_EIO = 5
_USUAL_LINES, _USUAL_COLUMNS = 24, 80
_PATIENCE = 3
_PATIENCE_SECONDS = 1.0
"""A sandbox that takes no signals is left behind: at the next one after so many, or so long."""


def run(
    directory: str,
    words: list[str],
    *,
    tty: bool,
    stdin: bool,
    user: str = "",
    env: list[str],
    working_dir: str = "",
    name: str = "",
    starts_daemon: bool | None = None,
    heard: Callable[[int], None] | None = None,
    at_end: Callable[[int, bytes], None] | None = None,
    on: str = "",
) -> int:
    """Begin a command in a project's sandbox, by a daemon or in this process, and attend to it until it ends.

    :param words: the program and its arguments; [] for a shell
    :param name: of the sandbox; '' for the one without a name
    :param starts_daemon: as `through_daemon.operate`
    :param heard: called with each signal that is passed on
    :param at_end: as `run_begun`; not called for a cluster, where `why` explains nothing
    :param on: the context of the cluster that is meant, which no daemon asks; '' for this machine
    """
    program = words[0] if words else ""
    if on:
        from sandboxd.cli.on_cluster import working

        there = working.beginning(
            on, directory, words, tty=tty, stdin=stdin, name=name,
            user=user, env=env, working_dir=working_dir,
        )  # fmt: skip
        with there as (begin_there, has_input):
            return run_begun(begin_there, program, tty=tty, stdin=has_input, heard=heard)

    def begin() -> Attended:
        return _begin(
            directory,
            words,
            tty=tty,
            stdin=stdin,
            user=user,
            env=env,
            working_dir=working_dir,
            name=name,
            starts_daemon=starts_daemon,
        )

    _settle_copy(directory, name)
    code = run_begun(begin, program, tty=tty, stdin=stdin, heard=heard, at_end=at_end)
    _settle_copy(directory, name)
    return code


def _settle_copy(directory: str, name: str) -> None:
    if is_used(os.environ):
        from sandboxd.cli import synced_review

        synced_review.settle(directory, name)


def run_begun(
    begin: Callable[[], Attended],
    program: str,
    *,
    tty: bool,
    stdin: bool,
    heard: Callable[[int], None] | None = None,
    at_end: Callable[[int, bytes], None] | None = None,
) -> int:
    """Attend to the command that `begin` begins; signals that come meanwhile wait for it.

    :param program: the program's name, for the message that it does not exist; '' for a shell
    :param heard: called with each signal that is passed on
    :param at_end: called with its exit code and the end of its output, after our terminal is ours again
    """
    output = Output(0 if at_end is None else LONGEST_END)
    with _Surroundings(tty=tty, is_shell=not program, heard=heard) as surroundings:
        code = attend(begin(), program or "sh", surroundings, output, stdin=stdin)
    if at_end is not None:
        at_end(code, bytes(output.end[-LONGEST_END:]))
    return code


def _begin(directory: str, words: list[str], *, tty: bool, stdin: bool, **more: Any) -> Attended:
    from sandboxd.cli.through_daemon import begin

    reasons: list[NotRunning] = []
    begun = begin(directory, words, tty=tty, stdin=stdin, tell_open=reasons.append, **more)
    if begun is not None:
        return begun
    from sandboxd.backends import selection
    from sandboxd.backends.backend import CommandRequest
    from sandboxd.cli import daemon_start
    from sandboxd.operations import exec
    from sandboxd.terminal import status

    name = more.pop("name")
    del more["starts_daemon"]
    request = CommandRequest(words, directory, tty, stdin, **more)
    command: Any = exec.begin(selection.connect("", os.environ), request, name, status)
    # In a script, stderr is the command's.
    if reasons and (os.isatty(2) or not reasons[0].is_wish):
        daemon_start.say_open(reasons[0])
    return _WithCommits(command)


class _WithCommits:
    """A command begun here: no daemon sees what it commits, so its commits pass when it ends."""

    def __init__(self, command: Command) -> None:
        self._command = command
        self.connection = command.connection
        self.first = command.first
        self.resize = command.resize
        self.kill = command.kill
        self.close = command.close
        self.halt_error = command.halt_error

    def exit_code(self) -> int:
        from sandboxd.life import commits
        from sandboxd.terminal import status

        code = self._command.exit_code()
        command = self._command
        commits.exchange_after(command.engine, os.environ, command.container, status)
        return code


def attend(
    command: Attended, name: str, surroundings: _Surroundings, output: Output, *, stdin: bool
) -> int:
    """Connect this process's streams and signals with `command` until it ends; returns its exit code.

    :param name: of the program, for the message that there is none
    :raises CannotRun: it was never started
    :raises ContainerGone: the sandbox ended with or before it
    :raises Halted: the sandbox was halted meanwhile
    :raises KeyboardInterrupt: it was interrupted again and again, or our terminal was closed, and it goes on
    """
    try:
        surroundings.lend(command)
        if stdin:
            start_new_thread(_feed, (command.connection,))
        try:
            with HaltLook(command):
                pump(command.connection, command.first, surroundings.tty, output.write)
        except BrokenPipeError:
            # The reader of our output is gone (`| head`): without a signal the command would never end.
            command.kill(signal.SIGPIPE)
            raise
        except OSError as error:
            if not surroundings.tty or error.errno != _EIO:
                raise
            # Our terminal is gone, so nobody sees the command any more.
            command.kill(signal.SIGHUP)
            raise Interrupted(signal.SIGHUP) from None
    finally:
        command.connection.close()
    surroundings.take_back()
    code = command.exit_code()
    if output.failure:
        raise CannotRun(name, output.failure)
    return code


def wants_terminal(*, allowed: bool) -> bool:
    """Whether a command gets a terminal: stdin and stdout are one."""
    return allowed and sys.stdin.isatty() and sys.stdout.isatty()


def terminal_variables(tty: bool) -> list[str]:
    """Variables by which a program knows our terminal."""
    names = ("TERM", "COLORTERM") if tty else ()
    return [f"{name}={os.environ[name]}" for name in names if name in os.environ]


def _feed(connection: Stream) -> None:
    """Copy stdin and its end to the command, which may end at any time."""
    try:
        while data := os.read(0, _SIZE):
            connection.sendall(data)
        # A TLS connection cannot be closed in one direction: the engine would end both.
        if not hasattr(connection, "unwrap"):
            connection.shutdown(_SHUT_WR)
    except OSError:
        pass


class _Surroundings:
    """Our terminal and our signals, lent to a command; a context manager.

    Signals and sizes are passed on by a thread: the engine may take its time with them. Those that come
    while the command is being begun wait for it.
    """

    def __init__(
        self, *, tty: bool, is_shell: bool = False, heard: Callable[[int], None] | None = None
    ) -> None:
        self.tty = tty
        # An interactive shell ignores SIGTERM, and ends as if its terminal was closed.
        self._passed_on = {signal.SIGTERM: signal.SIGHUP} if tty and is_shell else {}
        self._heard = heard
        self._command: Attended | None = None
        self._arrivals = 0
        """Signals that Python has handled: it does so between two reads, so this may lag behind."""
        self._deliveries = 0
        """Signals that the sandbox has taken."""
        self._since = 0.0
        """The time at which the first signal came that it has not taken (monotonic)."""
        self._before: dict[int, Any] = {}
        self._mode: list[Any] = []

    def __enter__(self) -> _Surroundings:
        # The kernel may deliver a signal between Python's last look and the start of a read. Its handler
        # then waits until the read ends, perhaps for ever; the byte in the pipe does not wait.
        self._notes, self._wakeup = os.pipe()
        os.set_blocking(self._wakeup, False)
        self._wakeup_before = signal.set_wakeup_fd(self._wakeup, warn_on_full_buffer=False)
        for number in _FORWARDED:
            self._catch(number, self._count)
        return self

    def __exit__(self, *_: object) -> None:
        self.take_back()
        for number, handler in self._before.items():
            signal.signal(number, handler)
        signal.set_wakeup_fd(self._wakeup_before)
        os.close(self._wakeup)
        if self._command is None:
            os.close(self._notes)

    def lend(self, command: Attended) -> None:
        """Pass signals and sizes on to `command`, and put the terminal into raw mode."""
        self._command = command
        start_new_thread(self._pass_on, (command,))
        if self.tty:
            import termios
            import tty

            self._mode = termios.tcgetattr(0)
            self._catch(signal.SIGWINCH, _ignore)
            # Keys go to the command as they are typed.
            tty.setraw(0)
            self._resize(command)

    def take_back(self) -> None:
        """Restore the terminal."""
        if self._mode:
            import termios
            from contextlib import suppress

            # A terminal that was closed has no mode to restore.
            with suppress(termios.error):
                termios.tcsetattr(0, termios.TCSADRAIN, self._mode)
            self._mode = []

    def _catch(self, number: int, handler: Callable[[int, FrameType | None], None]) -> None:
        self._before[number] = signal.signal(number, handler)

    def _count(self, number: int, _frame: FrameType | None) -> None:
        if self._heard is not None:
            self._heard(number)
        now = monotonic()
        if self._arrivals <= self._deliveries:
            self._since = now
        self._arrivals += 1
        most = 1 if self._command is None or now - self._since > _PATIENCE_SECONDS else _PATIENCE
        if self._arrivals - self._deliveries > most:
            raise KeyboardInterrupt

    def _pass_on(self, command: Attended) -> None:
        while number := os.read(self._notes, 1):
            try:
                if number[0] == signal.SIGWINCH:
                    self._resize(command)
                else:
                    command.kill(self._passed_on.get(number[0], number[0]))
                    self._deliveries = max(self._deliveries + 1, self._arrivals)
            except (SandboxdError, OSError):
                # The command, or the sandbox, may be gone by now: its end is seen elsewhere.
                continue
        os.close(self._notes)

    def _resize(self, command: Attended) -> None:
        size = os.get_terminal_size(1)
        # A terminal that nobody gave a size, as `script` and CI make them, says 0.
        command.resize(size.lines or _USUAL_LINES, size.columns or _USUAL_COLUMNS)


def _ignore(_number: int, _frame: FrameType | None) -> None:
    """Handle a signal that is only passed on: Python notes in the pipe those that have a handler."""
