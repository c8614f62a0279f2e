"""Events that are kept to be sent again: each kind has its own room, so that none pushes out another."""

from __future__ import annotations

import heapq
from collections import deque
from collections.abc import Iterator
from typing import NamedTuple

_KIB = 1 << 10
ROOM = {
    "tripwire": 64 * _KIB,
    "reached": 128 * _KIB,
    "denied": 192 * _KIB,
    "assigned": 192 * _KIB,
    "credential": 64 * _KIB,
    "asked": 64 * _KIB,
    "policy": 64 * _KIB,
}
"""Bytes by kind. Whoever is inside chooses how long the lines are, and all have to fit a channel unread."""

_OTHER_ROOM = 8 * _KIB


class Count(NamedTuple):
    """A number of attempts that are not reported one by one."""

    total: int = 0
    reached: int = 0
    """Of `total`, connections that were made."""
    tripwires: int = 0
    """Of `total`, uses of a tripwire."""

    def plus(self, other: Count) -> Count:
        return Count(
            self.total + other.total,
            self.reached + other.reached,
            self.tripwires + other.tripwires,
        )


class Line(NamedTuple):
    """An event as it is sent."""

    number: int
    time: float
    text: bytes
    stands_for: Count
    """The attempts that are not known any more without it."""


class _Shelf:
    """The latest events of one kind, and the number of attempts in those before them."""

    def __init__(self, room: int) -> None:
        self._room, self._size = room, 0
        self.lines: deque[Line] = deque()
        self.gap: Line | None = None
        """The last one that had no room, standing for all of them."""

    def add(self, line: Line) -> None:
        self.lines.append(line)
        self._size += len(line.text)
        # The latest one stays, however long it is.
        while self._size > self._room and len(self.lines) > 1:
            first = self.lines.popleft()
            self._size -= len(first.text)
            before = self.gap.stands_for if self.gap else Count()
            self.gap = first._replace(stands_for=before.plus(first.stands_for))


class ReplayBuffer:
    """The events of a gateway."""

    def __init__(self) -> None:
        self._shelves: dict[str, _Shelf] = {}

    def add(self, kind: str, line: Line) -> None:
        """Keep `line` until there are too many of its kind."""
        shelf = self._shelves.get(kind)
        if shelf is None:
            shelf = self._shelves[kind] = _Shelf(ROOM.get(kind, _OTHER_ROOM))
        shelf.add(line)

    def after(self, number: int) -> Iterator[Line]:
        """The events after `number`, in their order."""
        kinds = (shelf.lines for shelf in self._shelves.values())
        return (line for line in heapq.merge(*kinds) if line.number > number)

    def gaps_after(self, number: int) -> Iterator[Line]:
        """The gaps after `number`: for each kind of event, the last that is gone, with the count of all."""
        gaps = (shelf.gap for shelf in self._shelves.values())
        return (gap for gap in gaps if gap and gap.number > number and gap.stands_for.total)
