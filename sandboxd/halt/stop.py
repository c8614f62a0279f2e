"""Stops all processes of a container as fast as possible: first by SIGSTOP, if the host can signal them, then by a
pause.

The engine starts a program to pause a container, which takes 15 to 60 ms. Signals take one millisecond, but a process
that is just being forked misses them, so the pause is what holds; what is paused stays stopped as well. Under gVisor a signal would also stop the process
that carries out the pause.

Podman pauses nothing while its runtime starts a program inside. What the runtime has only begun to start therefore gets
no signal; stopped halfway, it would keep the engine from pausing.

An engine that cannot pause, such as a rootless one that may make no cgroups, kills the processes instead.
"""

from __future__ import annotations

import contextlib
import os
import signal
from typing import TYPE_CHECKING

from sandboxd.engine import failures

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable

    from sandboxd.engine.client import Engine

_ROUNDS = 4
_ATTEMPTS = 2
"""To pause a container that the engine answers with a refusal: the second follows at once."""
_CGROUPS = "/sys/fs/cgroup"
_RUNTIMES = ("runc", "crun")
"""Programs that start others in a container, each the parent of what it starts until that runs."""


def stop(engine: Engine, container: str, pid: int, *, by_signal: bool) -> bool:
    """Stop all processes of a container: paused until the engine resumes it, or killed where it cannot be paused.

    :param container: its full id
    :param pid: its main process on this host, 0 where that is not known
    :param by_signal: whether its processes are processes of this host, as they are under every runtime but gVisor
    :returns: whether they were killed
    :raises ContainerGone: it does not run any more
    :raises EnvironmentFailure: the engine does neither; the processes go on
    """
    procs = _processes_file(container, pid) if by_signal and pid > 0 else ""
    stopped: set[int] = set()
    is_paused = False
    try:
        for _ in range(_ROUNDS if procs else 0):
            present = _pids(procs)
            new = {pid for pid in present - stopped if not _is_being_started(pid, present)}
            if not new:
                break
            _signal(new, signal.SIGSTOP)
            stopped |= new
        is_paused = _pause(engine, container)
        return not is_paused and _end(engine, container)
    finally:
        present = _pids(procs) if procs else set()
        # An engine resumes what it kills, first process and others one after the other: none may run until it dies. While
        # they are frozen none can be forked, so this reaches all.
        if is_paused:
            _signal(present, signal.SIGSTOP)
        else:
            _signal(stopped & present, signal.SIGCONT)


def _pause(engine: Engine, container: str) -> bool:
    """Pause it; False where the engine cannot.

    :raises ContainerGone: it does not run any more
    :raises EngineFailure: the engine does not answer
    """
    for _ in range(_ATTEMPTS):
        try:
            engine.pause(container)
        except (failures.ContainerGone, failures.NoAnswer):
            raise
        except failures.EngineFailure:
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
