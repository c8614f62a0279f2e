"""Runs the commands of one hook side by side, and reports their output line by line."""

from __future__ import annotations

import contextlib
import queue
import secrets
import signal
import threading
import time
from typing import TYPE_CHECKING, NamedTuple

from sandboxd.errors import EnvironmentFailure

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from sandboxd.life.hook_place import Begun, Place
    from sandboxd.model.remote import Hook

MARK = "SANDBOXD_HOOK"
"""The name of an environment variable; its value is unique to each hook, so that the hook's processes can be found."""

_LONGEST_LINE = 4096
_MOST_WAITING = 1000
"""The most output lines in the queue; a hook that writes faster than they are printed has to wait."""
_LINES_AT_ONCE = 200
_PAUSE_SECONDS = 0.1
_ENDING_SECONDS = 3.0
_LOOK_SECONDS = 0.05
_KILL_SECONDS = 60.0
"""Time to find and signal the processes: long, since a hook that uses all processors slows the sandbox down."""


class Surroundings(NamedTuple):
    """The variables that a hook's commands get beside the sandbox's own, and their working directory; '' for the
    workspace.
    """

    env: Mapping[str, str]
    folder: str


class Ended(NamedTuple):
    """The command of a hook that failed first, and its exit code."""

    name: str
    code: int


class _Running(NamedTuple):
    name: str
    begun: Begun


def new_mark() -> str:
    """A new environment variable, ``NAME=value``, that marks the processes of one hook."""
    return f"{MARK}={secrets.token_hex(8)}"


def run(
    place: Place,
    inside: Surroundings,
    hook: Hook,
    mark: str,
    tell: Callable[[str], None],
    check: Callable[[], None],
) -> Ended | None:
    """Run the commands of `hook` in parallel until all have ended; return the first that failed, or None.

    :param tell: called with each line of output; may raise, which ends the hook's processes
    :param check: called when all output has ended; may raise with the same effect
    :raises EnvironmentFailure: the sandbox ended meanwhile
    """
    running: list[_Running] = []
    try:
        for command in hook.commands:
            begun = place.begin(command.words, inside.env, inside.folder, mark)
            running.append(_Running(command.name, begun))
        _tell_all(running, hook.stage, tell)
        check()
        codes = [each.begun.code() for each in running]
    except BaseException:
        _end(place, running, mark)
        raise
    finally:
        for each in running:
            each.begun.close()
    failed = [Ended(each.name, code) for each, code in zip(running, codes, strict=True) if code]
    return failed[0] if failed else None


def end_marked(place: Place, mark: str) -> None:
    """End the processes of a hook, found by `mark`, whose sandboxd process no longer exists."""
    for number in (signal.SIGTERM, signal.SIGKILL):
        place.signal(mark, number, _KILL_SECONDS)


def _tell_all(running: list[_Running], stage: str, tell: Callable[[str], None]) -> None:
    """Report the output of all commands, each line with the name of its hook, until they end."""
    lines: queue.Queue[str | None] = queue.Queue(_MOST_WAITING)
    for each in running:
        name = f"{stage} {each.name}" if each.name else stage
        threading.Thread(target=_read, args=(each.begun, name, lines), daemon=True).start()
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


def _read(begun: Begun, name: str, lines: queue.Queue[str | None]) -> None:
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

    try:
        begun.hear(take)
    finally:
        if rest:
            lines.put(_shown(name, bytes(rest)))
        lines.put(None)


def _shown(name: str, line: bytes) -> str:
    """The text of a line that a terminal would show: a progress bar overwrites itself."""
    text = line.rstrip(b"\r").rpartition(b"\r")[2].decode("utf-8", "replace")
    return f"{name} | {text}"


def _end(place: Place, running: list[_Running], mark: str) -> None:
    """End what still runs: by SIGTERM first, then by SIGKILL."""
    place.signal(mark, signal.SIGTERM, _KILL_SECONDS)
    deadline = time.monotonic() + _ENDING_SECONDS
    with contextlib.suppress(EnvironmentFailure):
        while not all(each.begun.is_over() for each in running):
            if time.monotonic() > deadline:
                break
            time.sleep(_LOOK_SECONDS)
    place.signal(mark, signal.SIGKILL, _KILL_SECONDS)
