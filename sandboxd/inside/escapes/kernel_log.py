"""Read the kernel's log, which shows addresses and what other containers do."""

from __future__ import annotations

import ctypes
import os
from typing import Any

from sandboxd.inside.escapes._kernel import call

TITLE = "read the host's kernel log"
JUDGE = "kernel"
EXPECTED = {"runc": "no SYSLOG capability", "runsc": "gVisor's own log"}


def attempt(facts: dict[str, Any]) -> dict[str, Any]:
    try:
        descriptor = os.open("/dev/kmsg", os.O_RDONLY | os.O_NONBLOCK)
        try:
            if os.read(descriptor, 8192):
                return {"detail": "/dev/kmsg can be read"}
        finally:
            os.close(descriptor)
    except OSError:
        pass
    read_all = 3
    call("syslog", read_all, ctypes.create_string_buffer(64), 64)
    return {"detail": "syslog(2) gives the log"}
