"""The memory limit: what goes over it is ended by the kernel."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from sandboxd.observe.diagnosis.case import Answer, find_line, larger
from sandboxd.plan.service_reading import size
from sandboxd.screen import size_text

if TYPE_CHECKING:
    from collections.abc import Iterator

    from sandboxd.observe.diagnosis.case import Failure, Sandbox

_COST = "this machine keeps less memory for itself"
_KILLED = (137, -9)
"""Exit codes of a process that was ended by SIGKILL: 128 + 9, as shells and engines have it."""

# gVisor's runsc, when the kernel of the sandbox ends before a command in it (runsc/sandbox/sandbox.go).
_KERNEL_GONE = re.compile(r'urpc method "containerManager\.WaitPID" failed: EOF')
# Not of mlock(2), which has a limit of its own.
_WORDS = re.compile(
    r"^(?:(?!mlock).)*(?:Cannot allocate memory|\bENOMEM\b|MemoryError|std::bad_alloc|out of memory)",
    re.IGNORECASE,
)


def find(failure: Failure, sandbox: Sandbox) -> Iterator[Answer]:
    """An answer where the kernel ended something for its memory, or a program says that it got none."""
    limit = sandbox.container.memory
    if limit is None:
        return
    decided_by = sandbox.decided_by("memory")
    now = size(limit.value)
    most = size_text(now) if now else limit.value
    change = larger("memory", now, decided_by) if now else ""
    counted = "; files outside of the workspace count, too" if sandbox.is_gvisor else ""
    because = f"the sandbox may use {most} of memory{counted}"
    kills = sandbox.counters.memory_kills if sandbox.counters is not None else 0
    was_killed = failure.exit_code in _KILLED or find_line(failure, _KERNEL_GONE) is not None
    if was_killed and (kills or sandbox.was_out_of_memory):
        because += ", and the kernel ended a process that went over it"
        yield Answer("memory limit", because, decided_by, change, _COST, is_certain=True)
    elif was_killed or find_line(failure, _WORDS) is not None:
        yield Answer("memory limit", because, decided_by, change, _COST)
