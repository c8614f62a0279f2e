"""Fill the host's disk by the container's log: the engine writes there what the first process says.

Whoever may write to the output of process 1 is in the log. Nothing is written.
"""

from __future__ import annotations

import os
from typing import Any

TITLE = "fill the host's disk by the container's log"
JUDGE = "open"
CLUSTER = "the size of its log is the kubelet's, which nobody asks"
EXPECTED = {"runc": "size of the log", "runsc": "size of the log"}
_WHY = "the profile leaves the log to the engine, which by default has no limit"
DECLARED = {"trusted": _WHY, "seed-baseline": _WHY}


def attempt(facts: dict[str, Any]) -> dict[str, Any]:
    if facts["limits"]["log"]:
        raise OSError("the engine turns the log over at its size")
    descriptor = os.open("/proc/1/fd/1", os.O_WRONLY | os.O_NONBLOCK)
    os.close(descriptor)
    return {"detail": "the log has no limit, and any process can write to it"}
