"""Ask the kernel to end others first when memory runs out: the host's services, that is.

The attempt's own process only, which ends with it.
"""

from __future__ import annotations

from typing import Any

TITLE = "be the last that the kernel ends when memory is short"
JUDGE = "kernel"
EXPECTED = {"runc": "no SYS_RESOURCE", "runsc": "gVisor's own"}


def attempt(facts: dict[str, Any]) -> dict[str, Any]:
    with open("/proc/self/oom_score_adj", "w") as file:
        file.write("-1000")
    return {"detail": "oom_score_adj can be lowered"}
