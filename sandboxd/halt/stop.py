"""Stops all processes of a container as fast as possible: first by SIGSTOP, if the host can signal them, then by a
pause.

The engine starts a program to pause a container, which takes 15 to 60 ms. Signals take one millisecond, but a process
that is just being forked misses them, so the pause is what holds; what is paused stays stopped as well. Under gVisor a
signal would also stop the process that carries out the pause.

While no engine answers, since it hangs or is being restarted, signals are all that there is: what they stopped stays so,
under gVisor, too, and goes on only for the pause of an engine that answers again. Under gVisor no engine could start
meanwhile, as its runtime waits for an answer of each sandbox: where none is there, the sandbox is killed.

Podman pauses nothing while its runtime starts a program inside. What the runtime has only begun to start therefore gets
no signal; stopped halfway, it would keep the engine from pausing.

An engine that cannot pause, such as a rootless one that may make no cgroups, kills the processes instead.
"""

from __future__ import annotations

import contextlib
import os
import signal
import time
from typing import TYPE_CHECKING

from sandboxd.engine import failures
from sandboxd.errors import EnvironmentFailure

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable

    from sandboxd.engine.client import Engine

_ROUNDS = 4
_ATTEMPTS = 2
"""To pause a container that the engine answers with a refusal: the second follows at once."""
_PAUSE_SECONDS = 2.0
"""For the answer to a pause; that of a busy machine may come after it, and counts at the next attempt."""
_STOPS_SECONDS = 0.2
"""For processes to stop after they were signalled: what one has just asked of the kernel is carried out before."""
_CGROUPS = "/sys/fs/cgroup"
_RUNTIMES = ("runc", "crun")
"""Programs that start others in a container, each the parent of what it starts until that runs."""


class Silent(EnvironmentFailure):
    """No engine answers. `is_held` tells whether all processes inside were seen to be stopped by signals meanwhile."""

    def __init__(self, failure: failures.EngineFailure, *, is_held: bool) -> None:
        super().__init__(failure.message, failure.hint)
        self.is_held = is_held


def stop(engine: Engine, container: str, pid: int, *, by_signal: bool) -> bool:
    """Stop all processes of a container: paused until the engine resumes it, or killed where it cannot be paused.

    :param container: its full id
    :param pid: its main process on this host, 0 where that is not known
    :param by_signal: whether its processes are processes of this host, as they are under every runtime but gVisor
    :returns: whether they were killed
    :raises ContainerGone: it does not run any more
    :raises Silent: no engine answers
    :raises EnvironmentFailure: the engine does neither; the processes go on
    """
    procs = _processes_file(container, pid) if pid > 0 else ""
    stopped = set()
    if by_signal:
        stopped = _signal_all(procs)
    elif (held := set(filter(_is_stopped, _pids(procs)))) and engine.answers():
        # The sandbox's own kernel, since a silence: it carries out the pause.
        _signal(held, signal.SIGCONT)
    is_paused = is_silent = False
    try:
        is_paused = _pause(engine, container)
        return not is_paused and _end(engine, container)
    except failures.EngineFailure as error:
        is_silent = failures.is_silence(error)
        if not is_silent:
            raise
        if not by_signal and not isinstance(error, failures.NoAnswer) and _kill(procs):
            return True
        _signal_all(procs)
        raise Silent(error, is_held=_are_stopped(procs)) from error
    finally:
        # An engine resumes what it kills, first process and others one after the other: none may run until it dies. While
        # they are frozen none can be forked, so this reaches all.
        if is_paused and by_signal:
            _signal(_pids(procs), signal.SIGSTOP)
        elif not is_silent:
            _signal(stopped & _pids(procs), signal.SIGCONT)


def _signal_all(procs: str) -> set[int]:
    """Stop the processes of a control group, but for what a runtime is about to start; returns those that were signalled."""
    stopped: set[int] = set()
    for _ in range(_ROUNDS):
        present = _pids(procs)
        new = {pid for pid in present - stopped if not _is_being_started(pid, present)}
        if not new:
            break
        _signal(new, signal.SIGSTOP)
        stopped |= new
    return stopped


def _kill(procs: str) -> bool:
    """Kill the processes of a control group; whether there were any, and all have ended within a moment."""
    present = _pids(procs)
    _signal(present, signal.SIGKILL)
    end = time.monotonic() + _STOPS_SECONDS
    while not (have_ended := all(_state(f"/proc/{pid}") in "ZX" for pid in present)):
        if time.monotonic() > end:
            break
        time.sleep(_STOPS_SECONDS / 20)
    return bool(present) and have_ended


def _are_stopped(procs: str) -> bool:
    """Whether there are processes in a control group, and all of them are stopped, within a moment."""
    end = time.monotonic() + _STOPS_SECONDS
    while True:
        present = _pids(procs)
        if present and all(map(_is_stopped, present)):
            return True
        if not present or time.monotonic() > end:
            return False
        time.sleep(_STOPS_SECONDS / 20)


def _is_stopped(pid: int) -> bool:
    """Whether each thread of a process is stopped, or is no more."""
    try:
        threads = os.listdir(f"/proc/{pid}/task")
        return all(_state(f"/proc/{pid}/task/{thread}") in "TtZX" for thread in threads)
    except OSError:
        return False


def _state(folder: str) -> str:
    try:
        with open(f"{folder}/stat", encoding="utf-8", errors="replace") as file:
            return file.read().rpartition(")")[2].split()[0]
    except FileNotFoundError:
        return "X"


def _pause(engine: Engine, container: str) -> bool:
    """Pause it; False where the engine cannot.

    :raises ContainerGone: it does not run any more
    :raises EngineFailure: the engine does not answer
    """
    for _ in range(_ATTEMPTS):
        try:
            engine.pause(container, _PAUSE_SECONDS)
        except failures.EngineFailure as error:
            if isinstance(error, failures.ContainerGone) or failures.is_silence(error):
                raise
            # Somebody else did, or it ends.
            state = engine.inspect(container)["State"]
            if not state.get("Running"):
                raise failures.gone() from None
            if not state.get("Paused"):
                continue
        return True
    return False


def _end(engine: Engine, container: str) -> bool:
    """Kill what runs in a container, which stays with its files.

    :raises EngineFailure: the engine does not
    """
    engine.stop(container, 0)
    return True


def _processes_file(container: str, pid: int) -> str:
    """The file that lists the processes of a container's cgroup; '' where it cannot be told for certain."""
    try:
        with open(f"/proc/{pid}/cgroup", encoding="utf-8") as file:
            lines = file.read().splitlines()
    except OSError:
        return ""
    for line in lines:
        _, controllers, group = [*line.split(":", 2), "", ""][:3]
        # The engine names the group after the container. Version 2 has no controllers in its line.
        if container in group and "/.." not in group:
            path = f"{_CGROUPS}/{controllers}{group}/cgroup.procs"
            if os.path.exists(path):
                return path
    return ""


def _pids(path: str) -> set[int]:
    """The processes that a control group lists; none for ''."""
    try:
        with open(path, encoding="ascii") as file:
            return {int(line) for line in file.read().split()} - {0, os.getpid()}
    except (OSError, ValueError):
        return set()


def _is_being_started(pid: int, inside: Collection[int]) -> bool:
    """Whether a runtime on the host is about to make this process a program inside.

    :param inside: the processes inside, which may give themselves any name
    """
    try:
        with open(f"/proc/{pid}/stat", encoding="utf-8", errors="replace") as file:
            parent = int(file.read().rpartition(")")[2].split()[1])
        with open(f"/proc/{parent}/cmdline", encoding="utf-8", errors="replace") as file:
            program = file.read().partition("\0")[0]
    except (OSError, ValueError, IndexError):
        return False
    return parent not in inside and os.path.basename(program) in _RUNTIMES


def _signal(pids: Iterable[int], number: int) -> None:
    for pid in pids:
        # Another user's process: the engine stops it.
        with contextlib.suppress(OSError):
            os.kill(pid, number)
