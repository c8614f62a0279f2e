"""Start processes without end: a fork bomb takes the host, not the sandbox.

One is started, no more. Whether anything bounds their number is read from the sandbox's control
group on the host, for to reach the limit would end the user's own programs.
"""

from __future__ import annotations

import os
import resource
from typing import Any

TITLE = "start processes without a limit"
JUDGE = "open"
CLUSTER = "its control group is seen from the node"
EXPECTED = {"runc": "pids limit", "runsc": "process limit of the user"}
DECLARED = {
    "seed-baseline": "the guide sets no limit of processes",
}
CONTROLS = ("process limit", "limits")

# A higher value is the default of a machine for each user, not a limit of a sandbox.
_OF_A_SANDBOX = 16384


def attempt(facts: dict[str, Any]) -> dict[str, Any]:
    limit = facts["limits"]["processes"]
    if limit:
        raise OSError(f"at most {limit} processes")
    most = resource.getrlimit(resource.RLIMIT_NPROC)[1]
    if 0 <= most <= _OF_A_SANDBOX:
        # Linux counts for everybody but root, gVisor for all: lowered, it shows whether it binds.
        resource.setrlimit(resource.RLIMIT_NPROC, (1, 1))
        if os.fork() == 0:
            os._exit(0)
    return {"detail": "nothing bounds the number of processes"}
