"""Open settings of the whole kernel for writing: caches, address randomisation, panics.

Opened and closed, never written. Settings of a namespace of its own are not among them.
"""

from __future__ import annotations

import os
from typing import Any

TITLE = "open the kernel's settings for writing"
JUDGE = "kernel"
EXPECTED = {"runc": "read-only /proc/sys", "runsc": "not there"}

_PATHS = (
    "/proc/sys/vm/drop_caches",
    "/proc/sys/kernel/randomize_va_space",
    "/proc/sys/kernel/panic",
    "/proc/sys/kernel/dmesg_restrict",
    "/proc/sys/fs/suid_dumpable",
    "/proc/sys/fs/protected_symlinks",
)


def attempt(facts: dict[str, Any]) -> dict[str, Any]:
    last = OSError("no path")
    for path in _PATHS:
        try:
            os.close(os.open(path, os.O_WRONLY))
            return {"detail": f"{path} opens for writing"}
        except OSError as error:
            last = error
    raise last
