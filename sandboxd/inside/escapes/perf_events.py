"""Open a performance counter: large kernel code (CVE-2013-2094), and a view of other processes."""

from __future__ import annotations

import ctypes
from typing import Any

from sandboxd.inside.escapes._kernel import call

TITLE = "use perf_event_open(2)"
JUDGE = "surface"
EXPECTED = {"runc": "filtered (seccomp)", "runsc": "not implemented"}


def attempt(facts: dict[str, Any]) -> dict[str, Any]:
    task_clock = (ctypes.c_uint * 32)(1, 128, 1)  # software event, size of the structure, clock
    call("perf_event_open", task_clock, 0, -1, -1, 0)
    return {"detail": "a counter can be opened"}
