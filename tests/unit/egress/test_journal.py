"""Events: numbered, alike ones together, and counted when there are too many."""

from __future__ import annotations

import json
from typing import Any

from sandboxd.egress.gateway.journal import ALIKE, Journal


class Reader:
    """The other end; `full` is when it does not read."""

    def __init__(self) -> None:
        self.events: list[dict[str, Any]] = []
        self.full = False

    def __call__(self, line: bytes) -> bool:
        if not self.full:
            self.events.append(json.loads(line))
        return not self.full


def journal() -> tuple[Journal, Reader]:
    reader = Reader()
    return Journal(reader, lambda: 1.0), reader


def test_alike_attempts_are_two_events_in_a_second() -> None:
    says, reader = journal()
    for _ in range(1000):
        says.attempt("denied", "a.example", 443, "dns", "no-rule")
    assert [event["count"] for event in reader.events] == [1]
    says.tick()
    assert [event["count"] for event in reader.events] == [1, 999]


def test_attempts_of_many_kinds_are_counted_and_not_told() -> None:
    says, reader = journal()
    for number in range(ALIKE + 100):
        says.attempt("denied", f"n{number}.example", 443, "dns", "no-rule")
    says.tick()
    assert len(reader.events) == ALIKE + 1
    assert (reader.events[-1]["event"], reader.events[-1]["count"]) == ("lost", 100)


def test_what_nobody_reads_is_counted_and_can_be_sent_again() -> None:
    says, reader = journal()
    reader.full = True
    says.say("policy", version=1, ports=[])
    reader.full = False
    says.tick()
    assert [event["event"] for event in reader.events] == ["lost"]
    says.replay(0)
    assert [event["seq"] for event in reader.events] == [2, 1, 2]


def test_hostile_names_are_cut() -> None:
    says, reader = journal()
    says.attempt("denied", "x" * 10_000, 443, "http", "not-a-name", "", "y" * 10_000)
    assert len(reader.events[0]["name"]) == 253 and len(reader.events[0]["detail"]) == 253
