"""Send a signal to a process of the host (signal 0: may we?, nothing arrives)."""

from __future__ import annotations

import os
from typing import Any

from sandboxd.inside.escapes import _marker

TITLE = "signal a process of the host"
JUDGE = "token"
EXPECTED = {"runc": "a pid namespace of its own", "runsc": "gVisor's own processes only"}


def attempt(facts: dict[str, Any]) -> dict[str, Any]:
    pid, secret = _marker.find(facts)
    os.kill(pid, 0)
    return {"token": secret, "detail": f"pid {pid}"}
