"""A clock for elapsed time that nobody can set and that also counts while the machine sleeps."""

from __future__ import annotations

import time
from typing import NamedTuple


class Moment(NamedTuple):
    """A moment, in seconds since the machine started.

    `boot` identifies that start of the machine, '' if it is not known: moments of different starts cannot be compared.
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
