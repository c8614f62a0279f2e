"""Hold more open files than the process's limit allows. The limit is lowered to 64 for this first."""

from __future__ import annotations

import os
import resource
from typing import Any

TITLE = "open more files than the limit allows"
JUDGE = "open"
EXPECTED = {"runc": "limit of open files", "runsc": "limit of open files"}


def attempt(facts: dict[str, Any]) -> dict[str, Any]:
    limit = 64
    resource.setrlimit(resource.RLIMIT_NOFILE, (limit, limit))
    for _ in range(limit + 1):
        os.dup(0)
    return {"detail": f"more than {limit} files are open under a limit of {limit}"}
