"""Open mounted secrets: `/run/secrets`, a Kubernetes service account. Opened and closed, never read."""

from __future__ import annotations

import glob
import os
import stat
from typing import Any

TITLE = "open mounted secrets"
JUDGE = "workspace"
EXPECTED = {"runc": "no such mount", "runsc": "no such mount"}

_PATTERNS = (
    "/run/secrets/*",
    "/run/secrets/kubernetes.io/serviceaccount/token",
    "/var/run/secrets/*",
    "/var/run/secrets/kubernetes.io/serviceaccount/token",
)


def attempt(facts: dict[str, Any]) -> dict[str, Any]:
    reached = []
    for pattern in _PATTERNS:
        for path in glob.glob(pattern):
            try:
                descriptor = os.open(path, os.O_RDONLY | os.O_NONBLOCK)
            except OSError:
                continue
            if stat.S_ISREG(os.fstat(descriptor).st_mode) and path not in reached:
                reached.append(path)
            os.close(descriptor)
    if not reached:
        raise FileNotFoundError("no secret is mounted")
    return {"detail": "opened for reading", "reached": reached}
