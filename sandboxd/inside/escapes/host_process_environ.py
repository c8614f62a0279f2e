"""Read a host process's environment: API keys of whatever the user runs."""

from __future__ import annotations

from typing import Any

from sandboxd.inside.escapes._kernel import other_processes, read_text

TITLE = "read a host process's environment"
JUDGE = "token"
EXPECTED = {"runc": "a pid namespace of its own", "runsc": "gVisor's own processes only"}


def attempt(facts: dict[str, Any]) -> dict[str, Any]:
    for pid in other_processes():
        for entry in read_text(f"/proc/{pid}/environ").split("\0"):
            if entry.startswith(facts["environ"] + "="):
                return {"token": entry.partition("=")[2], "detail": f"pid {pid}"}
    raise ProcessLookupError("no process of the host shows its environment")
