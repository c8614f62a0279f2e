"""Events of the gateway, by number: kept for who attaches later, and never more than can be held."""

from __future__ import annotations

import json
from collections import deque
from collections.abc import Callable
from typing import NamedTuple

MOST_LINES, ALIKE = 2000, 50
"""Events that are kept to be sent again, and different attempts that are reported in one second."""

_LONGEST_TEXT = 253


class Attempt(NamedTuple):
    """What makes two attempts alike."""

    event: str
    name: str
    port: int
    door: str
    reason: str
    rule: str
    detail: str


class Journal:
    """Numbers events, writes them, and counts those that it cannot hold."""

    def __init__(self, write: Callable[[bytes], bool], clock: Callable[[], float]) -> None:
        """:param write: takes a line, or is False where there is no room for it
        :param clock: seconds since the epoch
        """
        self._write, self._clock = write, clock
        self._number, self._lost = 0, 0
        self._lines: deque[tuple[int, bytes]] = deque(maxlen=MOST_LINES)
        self._alike: dict[Attempt, int] = {}

    def say(self, event: str, **fields: object) -> None:
        self._number += 1
        numbered = {"event": event, "seq": self._number, "time": self._clock(), **fields}
        line = json.dumps(numbered).encode() + b"\n"
        self._lines.append((self._number, line))
        if not self._write(line):
            self._lost += 1

    def attempt(
        self,
        event: str,
        name: str,
        port: int,
        door: str,
        reason: str,
        rule: str = "",
        detail: str = "",
    ) -> None:
        """Report what something inside asked for: at once, and those like it together at `tick`."""
        key = Attempt(event, name[:_LONGEST_TEXT], port, door, reason, rule, detail[:_LONGEST_TEXT])
        count = self._alike.get(key)
        if count is not None:
            self._alike[key] = count + 1
        elif len(self._alike) >= ALIKE:
            self._lost += 1
        else:
            self._alike[key] = 0
            self._report(key, 1)

    def lose(self, count: int) -> None:
        """So many attempts came too fast to be looked at."""
        self._lost += count

    def tick(self) -> None:
        """To be called once a second: what was alike, and how much was lost."""
        alike, self._alike = self._alike, {}
        for key, count in alike.items():
            if count:
                self._report(key, count)
        if self._lost:
            lost, self._lost = self._lost, 0
            self.say("lost", count=lost)

    def replay(self, after: int) -> None:
        """Write the events after the number `after` again."""
        for number, line in self._lines:
            if number > after and not self._write(line):
                self._lost += 1

    def _report(self, key: Attempt, count: int) -> None:
        fields = {**key._asdict(), "count": count}
        del fields["event"]
        if not key.detail:
            del fields["detail"]
        self.say(key.event, **fields)
