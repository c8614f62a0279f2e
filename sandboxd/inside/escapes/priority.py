"""Run before every program of the host: a lower nice value than the sandbox was given.

The attempt's own process only, which ends with it.
"""

from __future__ import annotations

import os
from typing import Any

TITLE = "run at a higher priority"
JUDGE = "kernel"
EXPECTED = {"runc": "no SYS_NICE", "runsc": "gVisor's own"}


def attempt(facts: dict[str, Any]) -> dict[str, Any]:
    now = os.getpriority(os.PRIO_PROCESS, 0)
    os.setpriority(os.PRIO_PROCESS, 0, now - 1)
    return {"detail": "the nice value can be lowered"}
