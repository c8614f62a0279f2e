"""Read the kernel's memory: /dev/mem, /proc/kcore. Masked files open and hold nothing."""

from __future__ import annotations

import os
from typing import Any

TITLE = "read kernel memory (/dev/mem, /proc/kcore)"
JUDGE = "kernel"
EXPECTED = {"runc": "masked", "runsc": "not there"}


def attempt(facts: dict[str, Any]) -> dict[str, Any]:
    last = OSError("empty")
    for path in ("/proc/kcore", "/dev/mem", "/dev/kmem"):
        try:
            descriptor = os.open(path, os.O_RDONLY)
            try:
                if os.read(descriptor, 64):
                    return {"detail": f"{path} can be read"}
            finally:
                os.close(descriptor)
        except OSError as error:
            last = error
    raise last
