"""Counts the bytes that connections carry, by the name that they reach.

A count only grows while the gateway runs. It is reported as a total, so a report that is lost or comes twice
changes nothing.
"""

from __future__ import annotations

from collections.abc import Callable

from sandboxd.egress.gateway.gate import Judgement

MOST_NAMES = 256
"""Names with a count of their own; whoever is inside can choose names below a wildcard. Others share one."""

REPORTS_IN_A_TICK = 50
_LONGEST_SILENCE, _SMALL_PART = 10.0, 16
"""A changed count is reported at the next tick if it grew by this part of itself, else after these seconds: so a long
transfer is no flood of events."""


class Meter:
    """The bytes sent to one name (`up`) and received from it (`down`), over all its connections."""

    __slots__ = ("_reported", "_reported_at", "down", "name", "up")

    def __init__(self, name: str) -> None:
        self.name = name
        self.up = self.down = 0
        self._reported, self._reported_at = 0, float("-inf")

    def is_due(self, now: float) -> bool:
        """Whether the count is to be reported at `now`, in seconds of the clock that `reported` is given."""
        grown = self.up + self.down - self._reported
        if not grown:
            return False
        waited = now - self._reported_at
        return grown * _SMALL_PART >= self._reported or waited >= _LONGEST_SILENCE

    def reported(self, now: float) -> None:
        """Remember that the present count was reported at `now`."""
        self._reported, self._reported_at = self.up + self.down, now


class Meters:
    """The counts of all names."""

    def __init__(self, say: Callable[[str, int, int], bool], clock: Callable[[], float]) -> None:
        """:param say: reports name, bytes up and bytes down; False where there is no room for it
        :param clock: seconds, of a clock that never goes back
        """
        self._say, self._clock = say, clock
        self._meters: dict[str, Meter] = {}
        """By name, the one first that was reported longest ago."""

    def of(self, judgement: Judgement) -> Meter:
        """The meter of a name that was allowed.

        What goes to a service of the same project does not leave it, so its meter is none that is reported.
        """
        if judgement.reason == "service":
            return Meter(judgement.name)
        name = judgement.name
        meter = self._meters.get(name)
        if meter is None:
            if len(self._meters) >= MOST_NAMES:
                name = ""
            meter = self._meters.setdefault(name, Meter(name))
        return meter

    def tick(self) -> None:
        """Report counts that are due; to be called once a second."""
        now = self._clock()
        due = [meter for meter in self._meters.values() if meter.is_due(now)]
        for meter in due[:REPORTS_IN_A_TICK]:
            self._report(meter, now)
            # Last in the order, so that the others have their turn.
            self._meters[meter.name] = self._meters.pop(meter.name)

    def report_all(self) -> None:
        """Report every count, for a reader that knows none."""
        now = self._clock()
        for meter in self._meters.values():
            self._report(meter, now)

    def _report(self, meter: Meter, now: float) -> None:
        if self._say(meter.name, meter.up, meter.down):
            meter.reported(now)
