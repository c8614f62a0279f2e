"""Runs the commands of one hook side by side, and reports their output line by line."""

from __future__ import annotations

import contextlib
import queue
import secrets
import signal
import threading
import time
from typing import TYPE_CHECKING, NamedTuple

from sandboxd.engine.client import Exec
from sandboxd.engine.execute import kill_marked, wait_for_code
from sandboxd.engine.frames import pump
from sandboxd.errors import EnvironmentFailure

if TYPE_CHECKING:
    import socket
    from collections.abc import Callable, Mapping

    from sandboxd.engine.client import Engine
    from sandboxd.model.remote import Command, Hook

MARK = "SANDBOXD_HOOK"
"""A variable whose value is another one for each hook: by it the hook's processes are found."""

_LONGEST_LINE = 4096
_MOST_WAITING = 1000
"""Lines that wait to be told; a hook that writes faster waits, as it would for a slow terminal."""
_LINES_AT_ONCE = 200
_PAUSE_SECONDS = 0.1
_ENDING_SECONDS = 3.0
_LOOK_SECONDS = 0.05
_KILL_SECONDS = 60.0
"""A hook that keeps all processors busy makes the sandbox slow, and is to end all the same."""


class Inside(NamedTuple):
    """The place in which hooks run: the container's id, their user ('' for its own), environment and folder."""

    container: str
    user: str
    env: Mapping[str, str]
    folder: str


class Ended(NamedTuple):
    """The command that ended a hook with a failure."""

    name: str
    code: int


class _Running(NamedTuple):
    command: Command
    exec_id: str
    connection: socket.socket
    first: bytes


def new_mark() -> str:
    """A variable, with its value, for the processes of one hook."""
    return f"{MARK}={secrets.token_hex(8)}"


def run(
    engine: Engine,
    inside: Inside,
    hook: Hook,
    mark: str,
    tell: Callable[[str], None],
    check: Callable[[], None],
) -> Ended | None:
    """Run the commands of `hook` until all have ended; returns the first that failed, or None.

    :param tell: called with each line of output; may raise to end the hook, whose processes end with it
    :param check: called when the output has ended; may raise as well
    :raises ContainerGone: the sandbox ended meanwhile
    """
    running: list[_Running] = []
    try:
        for command in hook.commands:
            running.append(_begin(engine, inside, command, mark))
        _tell_all(running, hook.stage, tell)
        check()
        codes = [wait_for_code(engine, inside.container, each.exec_id) for each in running]
    except BaseException:
        _end(engine, inside, running, mark)
        raise
    finally:
        for each in running:
            each.connection.close()
    failed = [
        Ended(each.command.name, code) for each, code in zip(running, codes, strict=True) if code
    ]
    return failed[0] if failed else None


def end_marked(engine: Engine, inside: Inside, mark: str) -> None:
    """End the processes of a hook whose sandboxd process is gone."""
    for number in (signal.SIGTERM, signal.SIGKILL):
        kill_marked(engine, inside.container, inside.user, mark, number, _KILL_SECONDS)


def _begin(engine: Engine, inside: Inside, command: Command, mark: str) -> _Running:
    env = [*(f"{name}={value}" for name, value in inside.env.items()), mark]
    request = Exec(command.words, user=inside.user, env=env, working_dir=inside.folder)
    exec_id = engine.exec_create(inside.container, request)
    return _Running(command, exec_id, *engine.exec_start(exec_id, False))


def _tell_all(running: list[_Running], stage: str, tell: Callable[[str], None]) -> None:
    """Report the output of all commands, each line with the name of its hook, until they end."""
    lines: queue.Queue[str | None] = queue.Queue(_MOST_WAITING)
    for each in running:
        name = f"{stage} {each.command.name}" if each.command.name else stage
        threading.Thread(target=_read, args=(each, name, lines), daemon=True).start()
    left, count = len(running), 0
    while left:
        line = lines.get()
        if line is None:
            left -= 1
            continue
        tell(line)
        count += 1
        if count % _LINES_AT_ONCE == 0:
            time.sleep(_PAUSE_SECONDS)


def _read(each: _Running, name: str, lines: queue.Queue[str | None]) -> None:
    rest = bytearray()

    def take(_: int, data: bytes) -> None:
        rest.extend(data)
        *whole, last = bytes(rest).split(b"\n")
        while len(last) > _LONGEST_LINE:
            whole.append(last[:_LONGEST_LINE])
            last = last[_LONGEST_LINE:]
        rest[:] = last
        for line in whole:
            lines.put(_shown(name, line))

    # A connection that was ended under it: whoever ended it knows why.
    with contextlib.suppress(OSError, ValueError):
        pump(each.connection, each.first, False, take)
    if rest:
        lines.put(_shown(name, bytes(rest)))
    lines.put(None)


def _shown(name: str, line: bytes) -> str:
    """The text of a line that a terminal would show: a progress bar overwrites itself."""
    text = line.rstrip(b"\r").rpartition(b"\r")[2].decode("utf-8", "replace")
    return f"{name} | {text}"


def _end(engine: Engine, inside: Inside, running: list[_Running], mark: str) -> None:
    """End what still runs: by SIGTERM first, then by SIGKILL."""
    kill_marked(engine, inside.container, inside.user, mark, signal.SIGTERM, _KILL_SECONDS)
    deadline = time.monotonic() + _ENDING_SECONDS
    with contextlib.suppress(EnvironmentFailure):
        while any(engine.exec_exit_code(each.exec_id) is None for each in running):
            if time.monotonic() > deadline:
                break
            time.sleep(_LOOK_SECONDS)
    kill_marked(engine, inside.container, inside.user, mark, signal.SIGKILL, _KILL_SECONDS)
