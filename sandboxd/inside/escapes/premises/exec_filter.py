"""A process that `exec` starts has the container's filter of system calls.

Attack: a call that the filter refuses, made by such a process; everything that an editor starts enters
like this. Where it fails, the filter counts for editors, shells and hooks; where it does not, the plan says
that it counts for the first process and its children only.

Seen: none is in force under runsc 20240729 (`Seccomp: 0`); release-20260817 has it (gvisor#12692).
"""

from __future__ import annotations

import os
from typing import Any

from sandboxd.inside.escapes._kernel import read_text

TITLE = "a filter is in force in what `exec` starts"
PLAN = (
    "the filter counts for `exec`, and so for editors",
    "no filter counts for `exec`, and so for editors",
)

REFUSED = "sched_get_priority_max"
"""The one call that the filter of the trial refuses; it does nothing, and nobody needs a right for it."""


def attempt(_facts: dict[str, Any]) -> dict[str, Any]:
    mode = [
        line.split()[1]
        for line in read_text("/proc/self/status").splitlines()
        if line.startswith("Seccomp:")
    ]
    try:
        os.sched_get_priority_max(os.SCHED_OTHER)
    except OSError as error:
        return {"detail": "", "mode": mode, "error": error.errno}
    return {"detail": "", "mode": mode, "error": 0}


def judge(inside: dict[str, Any], _outside: dict[str, Any]) -> tuple[bool, str]:
    if inside["state"] != "done":
        return False, str(inside.get("detail", ""))
    shown = f"its status shows Seccomp {' '.join(inside['mode']) or 'not at all'}"
    if not inside["error"]:
        return False, f"a call that the filter refuses went through; {shown}"
    return inside["mode"] == ["2"], f"a call was refused by the filter; {shown}"
