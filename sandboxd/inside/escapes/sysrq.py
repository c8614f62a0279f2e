"""Open `/proc/sysrq-trigger` for writing: one letter reboots or crashes the host. Never written."""

from __future__ import annotations

import os
from typing import Any

TITLE = "open the host's sysrq trigger for writing"
JUDGE = "kernel"
EXPECTED = {"runc": "read-only", "runsc": "gVisor's own, without effect"}


def attempt(facts: dict[str, Any]) -> dict[str, Any]:
    os.close(os.open("/proc/sysrq-trigger", os.O_WRONLY))
    return {"detail": "/proc/sysrq-trigger opens for writing"}
