"""Events of the gateway, by number: kept for who attaches later, and never more than can be held."""

from __future__ import annotations

import json
from collections import deque
from collections.abc import Callable

MOST_LINES, ALIKE = 2000, 50
"""Events that are kept to be sent again, and different attempts that are reported in one second."""

_LONGEST_TEXT = 253

_Fields = dict[str, str | int]
_Alike = tuple[tuple[str, str | int], ...]
"""The fields of an event in which alike ones are alike."""


class Journal:
    """Numbers events, writes them, and counts those that it cannot hold."""

    def __init__(self, write: Callable[[bytes], bool], clock: Callable[[], float]) -> None:
        """:param write: takes a line, or is False where there is no room for it
        :param clock: seconds since the epoch
        """
        self._write, self._clock = write, clock
        self._number, self._lost = 0, 0
        self._lines: deque[tuple[int, bytes]] = deque(maxlen=MOST_LINES)
        self._alike: dict[str, dict[_Alike, int]] = {}

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
        fields: _Fields = {
            "name": name[:_LONGEST_TEXT],
            "port": port,
            "door": door,
            "reason": reason,
            "rule": rule,
        }
        self._count("attempt", event, fields, detail)

    def credential(
        self, service: str, outcome: str, status: int = 0, reason: str = "", detail: str = ""
    ) -> None:
        """Report a use of a credential, as `messages.CredentialTried` has it; others crowd it out never."""
        fields: _Fields = {
            "service": service,
            "outcome": outcome,
            "status": status,
            "reason": reason,
        }
        self._count("credential", "credential", fields, detail)

    def lose(self, count: int) -> None:
        """So many attempts came too fast to be looked at."""
        self._lost += count

    def tick(self) -> None:
        """To be called once a second: what was alike, and how much was lost."""
        alike, self._alike = self._alike, {}
        for counts in alike.values():
            for key, count in counts.items():
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

    def _count(self, kind: str, event: str, fields: _Fields, detail: str) -> None:
        """:param kind: has a bound of its own, so that many events of one do not hide those of another"""
        counts = self._alike.setdefault(kind, {})
        if detail:
            fields["detail"] = detail[:_LONGEST_TEXT]
        key = (("event", event), *fields.items())
        if key in counts:
            counts[key] += 1
        elif len(counts) >= ALIKE:
            self._lost += 1
        else:
            counts[key] = 0
            self._report(key, 1)

    def _report(self, key: _Alike, count: int) -> None:
        fields = dict(key)
        self.say(str(fields.pop("event")), **fields, count=count)
