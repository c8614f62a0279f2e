"""Attach to a process of the host as a debugger, which can then make it do anything."""

from __future__ import annotations

from typing import Any

from sandboxd.inside.escapes import _marker
from sandboxd.inside.escapes._kernel import call

TITLE = "attach to a process of the host (ptrace)"
JUDGE = "token"
EXPECTED = {"runc": "a pid namespace of its own", "runsc": "gVisor's own processes only"}

_SEIZE = 0x4206  # attaches without stopping the process; ends with the attempt


def attempt(facts: dict[str, Any]) -> dict[str, Any]:
    pid, secret = _marker.find(facts)
    call("ptrace", _SEIZE, pid, 0, 0)
    return {"token": secret, "detail": f"pid {pid}"}
