"""Read files that the engine hides: they tell of the host's keys, timers, firmware and disks.

Masked ones open and hold nothing.
"""

from __future__ import annotations

import glob
import os
from typing import Any

TITLE = "read files that the engine hides"
JUDGE = "kernel"
EXPECTED = {"runc": "masked", "runsc": "not there"}

_PATTERNS = (
    "/proc/timer_list",
    "/proc/keys",
    "/proc/sched_debug",
    "/proc/latency_stats",
    "/proc/scsi/scsi",
    "/sys/firmware/acpi/tables/DSDT",
    "/sys/firmware/dmi/tables/*",
    "/sys/devices/virtual/powercap/*/energy_uj",
)


def attempt(facts: dict[str, Any]) -> dict[str, Any]:
    last = OSError("hidden")
    for pattern in _PATTERNS:
        for path in glob.glob(pattern):
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
