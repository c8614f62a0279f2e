"""Limits of processes and of open files bind inside.

Attack: start processes as a user without rights, and open files, until it is refused. gVisor keeps these
limits itself: no control group of the host counts its processes (docs/decisions/0008).

Seen: both bind under runsc 20240729.
"""

from __future__ import annotations

import contextlib
import os
from typing import Any

from sandboxd.inside.escapes._users import NOBODYS

TITLE = "limits of processes and open files bind"
PLAN = ("a process limit holds a fork bomb", "only the memory limit holds a fork bomb")


def attempt(facts: dict[str, Any]) -> dict[str, Any]:
    os.setgid(NOBODYS)
    os.setuid(NOBODYS)
    processes, files = _start_processes(facts["processes"]), _open_files(facts["open_files"])
    return {"detail": "", "processes": processes, "open_files": files}


def _start_processes(limit: int) -> int:
    """The number of processes started before one was refused, at most a few more than `limit`."""
    hold, release = os.pipe()
    pids: list[int] = []
    with contextlib.suppress(OSError):
        while len(pids) < limit + 4:
            pid = os.fork()
            if pid == 0:
                os.close(release)
                os.read(hold, 1)
                os._exit(0)
            pids.append(pid)
    os.close(release)
    for pid in pids:
        os.waitpid(pid, 0)
    return len(pids)


def _open_files(limit: int) -> int:
    descriptors: list[int] = []
    with contextlib.suppress(OSError):
        while len(descriptors) < limit + 4:
            descriptors.append(os.dup(0))
    for descriptor in descriptors:
        os.close(descriptor)
    return len(descriptors)


def judge(inside: dict[str, Any], outside: dict[str, Any]) -> tuple[bool, str]:
    if inside["state"] != "done":
        return False, str(inside.get("detail", ""))
    beyond = [
        f"{inside[name]} {name.replace('_', ' ')} where {outside[name]} are allowed"
        for name in ("processes", "open_files")
        if inside[name] > outside[name]
    ]
    counts = f"{inside['processes']} processes, {inside['open_files']} files"
    return not beyond, "; ".join(beyond) or f"refused after {counts}"
