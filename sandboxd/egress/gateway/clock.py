"""The time by which approvals end: setting the machine's clock, or stopping it, does not lengthen them."""

from __future__ import annotations

import time
from collections.abc import Callable


class Clock:
    """Seconds since the epoch: the later of what the machine's clock says, and what has passed since the start, or since
    `start_again`.
    """

    def __init__(
        self,
        wall: Callable[[], float] = time.time,
        # Goes on while the machine sleeps, and nobody sets it.
        passed: Callable[[], float] = lambda: time.clock_gettime(time.CLOCK_BOOTTIME),
    ) -> None:
        self._wall, self._passed = wall, passed
        self.start_again()

    def start_again(self) -> None:
        """Count what passes from the time that the machine's clock has now: ends that are told from now on are by that."""
        self._start = self._wall() - self._passed()

    def __call__(self) -> float:
        return max(self._wall(), self._start + self._passed())
