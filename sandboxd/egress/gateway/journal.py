"""Numbered events of the gateway: kept for a host that attaches later, within a fixed amount of memory."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping

from sandboxd.egress.gateway.replay_buffer import Count, Line, ReplayBuffer

ALIKE = 50
"""Different attempts of one kind that are reported in one second."""

_LONGEST_TEXT = 253

_Fields = dict[str, str | int]
_Alike = tuple[tuple[str, str | int], ...]
"""The fields of an event in which alike ones are alike."""


class Journal:
    """Numbers events, writes them, and counts those that it cannot hold."""

    def __init__(self, write: Callable[[bytes], bool], clock: Callable[[], float]) -> None:
        """:param write: writes a line; False where there is no room for it
        :param clock: seconds since the epoch
        """
        self._write, self._clock = write, clock
        self._number, self._lost = 0, Count()
        self._buffer = ReplayBuffer()
        self._alike: dict[str, dict[_Alike, int]] = {}

    def say(self, event: str, **fields: object) -> None:
        self._say(event, Count(), event, fields)

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
        """Report an attempt from inside: at once, and equal ones together at the next `tick`."""
        fields: _Fields = {
            "name": name[:_LONGEST_TEXT],
            "port": port,
            "door": door,
            "reason": reason,
            "rule": rule,
        }
        self._count("tripwire" if reason == "canary" else event, event, fields, detail)

    def credential(
        self, service: str, outcome: str, status: int = 0, reason: str = "", detail: str = ""
    ) -> None:
        """Report a use of a credential, as `messages.CredentialTried`; other events never push it out."""
        fields: _Fields = {
            "service": service,
            "outcome": outcome,
            "status": status,
            "reason": reason,
        }
        self._count("credential", "credential", fields, detail)

    def carried(self, name: str, up: int, down: int) -> bool:
        """Report the bytes that were carried for a name so far, as `messages.Carried`; False where there is no room.

        It is neither kept nor counted as lost: the next report holds the same bytes.
        """
        self._number += 1
        fields = {"name": name[:_LONGEST_TEXT], "bytes_up": up, "bytes_down": down}
        return self._write(_line("carried", self._number, self._clock(), fields))

    def lose(self, count: int) -> None:
        """Count attempts that came too fast to be looked at; none of them got through."""
        self._lost = self._lost.plus(Count(count))

    def tick(self) -> None:
        """Report what was counted since the last call; to be called once a second."""
        alike, self._alike = self._alike, {}
        for kind, counts in alike.items():
            for key, count in counts.items():
                if count:
                    self._report(kind, key, count)
        if self._lost.total:
            lost, self._lost = self._lost, Count()
            self._say("lost", lost, "lost", _lost_fields(lost))

    def replay(self, after: int) -> None:
        """Write the events after the number `after` again, and how many of them are no longer kept."""
        for gap in self._buffer.gaps_after(after):
            # It has the number of an event that is gone: who has read that one passes this over, too.
            self._write(_line("lost", gap.number, gap.time, _lost_fields(gap.stands_for)))
        for line in self._buffer.after(after):
            if not self._write(line.text):
                self._lost = self._lost.plus(line.stands_for)

    def _count(self, kind: str, event: str, fields: _Fields, detail: str) -> None:
        """:param kind: has its own limit, so that many events of one kind do not hide those of another"""
        counts = self._alike.setdefault(kind, {})
        if detail:
            fields["detail"] = detail[:_LONGEST_TEXT]
        key = (("event", event), *fields.items())
        if key in counts:
            counts[key] += 1
        elif len(counts) >= ALIKE:
            self._lost = self._lost.plus(_count_of(kind, 1))
        else:
            counts[key] = 0
            self._report(kind, key, 1)

    def _report(self, kind: str, key: _Alike, count: int) -> None:
        fields = dict(key)
        event = str(fields.pop("event"))
        self._say(kind, _count_of(kind, count), event, {**fields, "count": count})

    def _say(self, kind: str, stands_for: Count, event: str, fields: Mapping[str, object]) -> None:
        """:param kind: has its own room among the kept events"""
        self._number += 1
        now = self._clock()
        line = _line(event, self._number, now, fields)
        is_written = self._write(line)
        if is_written or kind != "lost":  # else the next count has these, too
            self._buffer.add(kind, Line(self._number, now, line, stands_for))
        if not is_written:
            self._lost = self._lost.plus(stands_for if stands_for.total else Count(1))


def _line(event: str, number: int, time: float, fields: Mapping[str, object]) -> bytes:
    return json.dumps({"event": event, "seq": number, "time": time, **fields}).encode() + b"\n"


def _count_of(kind: str, count: int) -> Count:
    return Count(count, count * (kind == "reached"), count * (kind == "tripwire"))


def _lost_fields(lost: Count) -> dict[str, object]:
    return {"count": lost.total, "reached": lost.reached, "tripwires": lost.tripwires}
