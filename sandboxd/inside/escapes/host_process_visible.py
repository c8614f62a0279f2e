"""See a process of the host and its command line, which often holds passwords and tokens."""

from __future__ import annotations

from typing import Any

from sandboxd.inside.escapes import _marker

TITLE = "see a process of the host"
JUDGE = "token"
EXPECTED = {"runc": "a pid namespace of its own", "runsc": "gVisor's own processes only"}


def attempt(facts: dict[str, Any]) -> dict[str, Any]:
    pid, secret = _marker.find(facts)
    return {"token": secret, "detail": f"pid {pid}"}
