"""Let a child be debugged: ptrace(2) has a long history, and passed filters before Linux 4.8."""

from __future__ import annotations

from typing import Any

from sandboxd.inside.escapes._kernel import call

TITLE = "use ptrace(2) on an own process"
JUDGE = "surface"
EXPECTED = {"runc": "filtered (seccomp) where no debugger is wanted", "runsc": "gVisor's own"}
DECLARED = {
    "dev": "debuggers need it",
    "trusted": "debuggers need it",
}


def attempt(facts: dict[str, Any]) -> dict[str, Any]:
    trace_me = 0
    call("ptrace", trace_me, 0, 0, 0)
    return {"detail": "ptrace works"}
