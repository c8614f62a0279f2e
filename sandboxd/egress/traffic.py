"""Sums up the bytes that a gateway reports by name, over its restarts. Pure."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from sandboxd.egress.names import LONGEST_NAME

if TYPE_CHECKING:
    from sandboxd.egress.messages import Carried as CarriedEvent

MOST_NAMES = 512
"""Names with a sum of their own; further ones are summed up under ''."""

_MOST_BYTES = 1 << 62


class Carried(NamedTuple):
    """The bytes that connections to one name carried."""

    name: str
    """Hostile text; '' stands for all names beyond those that are counted one by one."""
    bytes_up: int
    """Sent to it."""
    bytes_down: int
    """Received from it."""


class Traffic:
    """The bytes of one sandbox's gateway, which may have been started several times.

    They are those since the last run that did not count, so that nothing uncounted lies between.
    """

    def __init__(self) -> None:
        self._is_counted = False
        self._before: dict[str, Carried] = {}
        """Of the runs of the gateway before the present one, by name."""
        self._present: dict[str, Carried] = {}
        """Of the present run: each report of a name takes the place of the one before."""

    def begin(self, counts: bool) -> None:
        """A run of the gateway begins.

        :param counts: whether it counts bytes; a gateway of an earlier version does not
        """
        self._before = self._sums() if counts else {}
        self._present, self._is_counted = {}, counts

    def take(self, event: CarriedEvent) -> None:
        """Take a report.

        :raises ValueError: it holds no number of bytes
        """
        up, down = event["bytes_up"], event["bytes_down"]
        for number in (up, down):
            if type(number) is not int or not 0 <= number < _MOST_BYTES:
                raise ValueError("no number of bytes")
        name = event["name"][:LONGEST_NAME]
        if name in self._present or len(self._present) < MOST_NAMES:
            self._present[name] = Carried(name, up, down)

    def by_name(self) -> tuple[Carried, ...] | None:
        """The bytes by name, those of the name that was sent most first.

        :returns: None where they are not known: the gateway does not count, or its first event is missing
        """
        if not self._is_counted:
            return None
        return tuple(
            sorted(
                self._sums().values(),
                key=lambda each: (-each.bytes_up, -each.bytes_down, each.name),
            )
        )

    def _sums(self) -> dict[str, Carried]:
        sums = dict(self._before)
        for carried in self._present.values():
            _add(sums, carried)
        return sums


def total(carried: tuple[Carried, ...]) -> Carried:
    """The sum of all names, under the name ''."""
    return Carried(
        "", sum(each.bytes_up for each in carried), sum(each.bytes_down for each in carried)
    )


def _add(sums: dict[str, Carried], carried: Carried) -> None:
    name = carried.name
    if name not in sums and len(sums) >= MOST_NAMES:
        name = ""
    old = sums.get(name, Carried(name, 0, 0))
    sums[name] = Carried(name, old.bytes_up + carried.bytes_up, old.bytes_down + carried.bytes_down)
