"""Time that has passed, by a clock that nobody sets and that goes on while the machine sleeps."""

from __future__ import annotations

import time
from typing import NamedTuple


class Moment(NamedTuple):
    """A moment since the machine started.

    `seconds` count from that start; `boot` tells one start of a machine from the next, '' if that is not
    known.
    """

    boot: str
    seconds: float


NEVER = Moment("", 0.0)


def moment() -> Moment:
    """The present moment; `NEVER` where the system has no such clock."""
    try:
        with open("/proc/sys/kernel/random/boot_id", encoding="ascii") as file:
            return Moment(file.read().strip(), time.clock_gettime(time.CLOCK_BOOTTIME))
    except (OSError, AttributeError):
        return NEVER
