"""The process limit, which counts threads, too."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from sandboxd.observe.diagnosis.case import Answer, find_line, larger

if TYPE_CHECKING:
    from collections.abc import Iterator

    from sandboxd.observe.diagnosis.case import Failure, Sandbox

# EAGAIN of fork(2) and pthread_create(3): shells, Python, Java, Node.js, Go.
_WORDS = re.compile(
    r"(?:[Ff]ork|clone|[Tt]hread|BlockingIOError|vfork).*Resource temporarily unavailable|can't start new thread"
    r"|unable to create (?:new )?native thread|spawn \S+ EAGAIN|pthread_create failed|newosproc"
    r"|Resource temporarily unavailable.{0,200}(?:fork|thread)"
)


def find(failure: Failure, sandbox: Sandbox) -> Iterator[Answer]:
    """An answer where a program could start no further process or thread, and their number is limited."""
    if find_line(failure, _WORDS) is None:
        return
    limit, field = _limit(sandbox)
    if not limit:
        return
    refusals = sandbox.counters.process_refusals if sandbox.counters is not None else 0
    decided_by = sandbox.decided_by(field)
    yield Answer(
        "process limit",
        f"the sandbox may have {limit} processes and threads",
        decided_by,
        larger("processes", limit, decided_by),
        "a program that starts others without end takes more of this machine",
        is_certain=bool(refusals),
    )


def _limit(sandbox: Sandbox) -> tuple[int, str]:
    """The number, and the field of the plan that has it; 0 for no limit."""
    container = sandbox.container
    if container.pids_limit is not None and container.pids_limit.value > 0:
        return container.pids_limit.value, "pids_limit"
    for each in container.ulimits:
        soft = each.value.value.partition(":")[0]
        if each.value.name == "nproc" and soft.isdecimal():
            return int(soft), "ulimits"
    return 0, ""
