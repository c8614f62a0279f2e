"""Take memory without end: the host swaps, or ends its own services.

16 MiB are taken, no more. Whether anything bounds it is read from the sandbox's control group on the
host: under gVisor a process over the limit ends the whole sandbox.
"""

from __future__ import annotations

from typing import Any

TITLE = "take memory without a limit"
JUDGE = "open"
CLUSTER = "its control group is seen from the node"
EXPECTED = {"runc": "memory limit", "runsc": "memory limit"}
DECLARED = {
    "seed-baseline": "the guide sets no limit of memory",
}
CONTROLS = ("memory limit", "limits")


def attempt(facts: dict[str, Any]) -> dict[str, Any]:
    block = bytearray(16 << 20)
    limit = facts["limits"]["memory"]
    if limit:
        raise OSError(f"at most {limit >> 20} MiB")
    return {"detail": f"took {len(block) >> 20} MiB, and nothing bounds it"}
