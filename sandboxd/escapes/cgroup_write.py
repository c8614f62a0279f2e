"""Open the limits of a control group for writing: own limits, or `devices.allow`, which opens disks.

Opened and closed, never written.
"""

from __future__ import annotations

import glob
import os
from typing import Any

TITLE = "open control group limits for writing"
JUDGE = "kernel"
EXPECTED = {"runc": "read-only cgroups", "runsc": "the sentry's own"}

_FILES = ("cgroup.procs", "pids.max", "memory.max", "memory.limit_in_bytes", "devices.allow")


def attempt(facts: dict[str, Any]) -> dict[str, Any]:
    last = OSError("no control group is visible")
    for file in _FILES:
        for path in glob.glob(f"/sys/fs/cgroup/{file}") + glob.glob(f"/sys/fs/cgroup/*/{file}"):
            try:
                os.close(os.open(path, os.O_WRONLY))
                return {"detail": f"{path} opens for writing"}
            except OSError as error:
                last = error
    raise last
