"""Open the limits of a control group for writing: own limits, or `devices.allow`, which opens disks.

Opened and closed, never written.
"""

from __future__ import annotations

import glob
from typing import Any

from sandboxd.inside.escapes._opening import first_writable

TITLE = "open control group limits for writing"
JUDGE = "kernel"
EXPECTED = {"runc": "read-only cgroups", "runsc": "gVisor's own"}

_FILES = ("cgroup.procs", "pids.max", "memory.max", "memory.limit_in_bytes", "devices.allow")


def attempt(facts: dict[str, Any]) -> dict[str, Any]:
    paths = [
        path
        for file in _FILES
        for pattern in (f"/sys/fs/cgroup/{file}", f"/sys/fs/cgroup/*/{file}")
        for path in glob.glob(pattern)
    ]
    return {"detail": f"{first_writable(paths, 'no control group is visible')} opens for writing"}
