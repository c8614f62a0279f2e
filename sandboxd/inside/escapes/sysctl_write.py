"""Open settings of the whole kernel for writing: caches, address randomisation, panics.

Opened and closed, never written. Settings of a namespace of its own are not among them.
"""

from __future__ import annotations

from typing import Any

from sandboxd.inside.escapes._opening import first_writable

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
    return {"detail": f"{first_writable(_PATHS)} opens for writing"}
