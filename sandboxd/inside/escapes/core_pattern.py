"""Open `/proc/sys/kernel/core_pattern` for writing: a `|program` in it runs as root on the host.

Also `uevent_helper`, `modprobe` and `binfmt_misc`, which the host's kernel runs in the same way.
Opened and closed, never written.
"""

from __future__ import annotations

from typing import Any

from sandboxd.inside.escapes._opening import first_writable

TITLE = "open a kernel helper path for writing (core_pattern)"
JUDGE = "kernel"
EXPECTED = {"runc": "read-only /proc/sys", "runsc": "not there"}

_PATHS = (
    "/proc/sys/kernel/core_pattern",
    "/proc/sys/kernel/modprobe",
    "/sys/kernel/uevent_helper",
    "/proc/sys/fs/binfmt_misc/register",
)


def attempt(facts: dict[str, Any]) -> dict[str, Any]:
    return {"detail": f"{first_writable(_PATHS)} opens for writing"}
