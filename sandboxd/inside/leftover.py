"""Runs inside a sandbox: ends the processes of a run that no client attends any more.

Only the standard library; it is sent as text, with a Python of ours. A process belongs to the run when its
environment has the mark, or that of an ancestor has. It is identified by its number and its start time, since
numbers are reused."""

from __future__ import annotations

import contextlib
import json
import os
import signal
import time
from typing import Any, NamedTuple

LOOK_SECONDS = 0.05
KILL_SECONDS = 2.0

Identity = tuple[int, int]
"""The number of a process and its start, in the kernel's ticks."""


class Process(NamedTuple):
    """A process that is not a zombie."""

    identity: Identity
    parent: int
    is_marked: bool


def main(task: dict[str, Any]) -> None:
    mark = task["mark"].encode()
    known = of_run(mark, set())
    first = len(known)
    for number, seconds in ((signal.SIGTERM, task["seconds"]), (signal.SIGKILL, KILL_SECONDS)):
        deadline = time.monotonic() + seconds
        asked: set[Identity] = set()
        while known and time.monotonic() < deadline:
            # Each is asked once; one that was started meanwhile, too.
            for identity in known - asked:
                with contextlib.suppress(OSError):
                    os.kill(identity[0], number)
            asked |= known
            time.sleep(LOOK_SECONDS)
            known = of_run(mark, known)
    print(task["nonce"], json.dumps({"count": first, "left": len(known)}), flush=True)


def of_run(mark: bytes, known: set[Identity]) -> set[Identity]:
    """The processes of the run that are there now, those of `known` among them."""
    processes = all_processes(mark)
    chosen = {pid for pid, each in processes.items() if each.is_marked or each.identity in known}
    size = -1
    while size != len(chosen):
        size = len(chosen)
        chosen |= {pid for pid, each in processes.items() if each.parent in chosen}
    return {processes[pid].identity for pid in chosen}


def all_processes(mark: bytes) -> dict[int, Process]:
    """The visible processes by their numbers, without process 1 and this one."""
    processes = {}
    for name in os.listdir("/proc"):
        if not name.isdigit() or int(name) in (1, os.getpid()):
            continue
        with contextlib.suppress(OSError, ValueError, IndexError):
            with open(f"/proc/{name}/stat", encoding="latin-1") as file:
                fields = file.read().rpartition(")")[2].split()
            if fields[0] in "ZX":
                continue
            variables = b""
            with contextlib.suppress(OSError), open(f"/proc/{name}/environ", "rb") as environ:
                variables = environ.read()
            identity = (int(name), int(fields[19]))
            processes[int(name)] = Process(identity, int(fields[1]), mark in variables.split(b"\0"))
    return processes
