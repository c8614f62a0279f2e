"""Events: numbered, alike ones together, and counted when there are too many."""

from __future__ import annotations

import json
from typing import Any

from sandboxd.egress.gateway.channel import MOST_UNREAD
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


def flood(says: Journal, seconds: int, name: str = "n{}.example") -> None:
    """Different denied names, ten times as many in each second as are reported."""
    for number in range(seconds * 10 * ALIKE):
        says.attempt("denied", name.format(number), 443, "dns", "no-rule")
        if number % (10 * ALIKE) == 10 * ALIKE - 1:
            says.tick()


def of_kind(reader: Reader, event: str, reason: str = "no-rule") -> list[str]:
    return [e["name"] for e in reader.events if (e["event"], e.get("reason")) == (event, reason)]


def test_denied_names_hide_no_tripwire_and_no_connection() -> None:
    says, reader = journal()
    for number in range(10 * ALIKE):
        says.attempt("denied", f"n{number}.example", 443, "dns", "no-rule")
    says.attempt("denied", "trap.example", 443, "connect", "canary")
    says.attempt("reached", "open.example", 443, "connect", "rule")
    assert of_kind(reader, "denied", "canary") == ["trap.example"]
    assert of_kind(reader, "reached", "rule") == ["open.example"]
    says.tick()
    lost = reader.events[-1]
    assert (lost["count"], lost["reached"], lost["tripwires"]) == (9 * ALIKE, 0, 0)


def test_connections_and_tripwires_that_are_too_many_are_counted_apart() -> None:
    says, reader = journal()
    for number in range(ALIKE + 3):
        says.attempt("reached", f"n{number}.example", 443, "connect", "rule")
    for number in range(ALIKE + 2):
        says.attempt("denied", "trap.example", number, "connect", "canary")
    says.attempt("denied", "a.example", 443, "dns", "no-rule")
    says.tick()
    lost = reader.events[-1]
    assert (lost["count"], lost["reached"], lost["tripwires"]) == (5, 3, 2)
    assert of_kind(reader, "denied") == ["a.example"]


def test_who_attaches_after_a_flood_learns_what_it_would_hide() -> None:
    says, reader = journal()
    says.say("ready", uid=1)
    says.attempt("denied", "trap.example", 443, "connect", "canary")
    says.attempt("reached", "open.example", 443, "connect", "rule")
    says.say("assigned", name="open.example", address="198.18.16.1")
    says.say("replayed", mark="verify begins 1")
    says.tick()
    flood(says, 200)
    told = len(of_kind(reader, "denied"))
    reader.events.clear()
    says.replay(0)
    assert of_kind(reader, "denied", "canary") == ["trap.example"]
    assert of_kind(reader, "reached", "rule") == ["open.example"]
    kinds = [event["event"] for event in reader.events]
    assert {"ready", "assigned", "replayed"} <= set(kinds)
    assert 0 < len(of_kind(reader, "denied")) < told


def test_a_replay_counts_what_is_gone_and_its_numbers_differ() -> None:
    says, reader = journal()
    flood(says, 200)
    reader.events.clear()
    says.replay(0)
    numbers = [event["seq"] for event in reader.events]
    assert len(set(numbers)) == len(numbers)
    denied = sum(event["count"] for event in reader.events if event["event"] == "denied")
    lost = sum(event["count"] for event in reader.events if event["event"] == "lost")
    assert denied + lost == 200 * 10 * ALIKE
    reader.events.clear()
    says.replay(max(numbers))
    assert reader.events == [], "who has read all is told of no loss"


def test_a_replay_of_the_longest_names_fits_a_channel_that_nobody_reads() -> None:
    sent: list[bytes] = []

    def keep(line: bytes) -> bool:
        sent.append(line)
        return True

    long = Journal(keep, lambda: 1.0)
    for number in range(40 * ALIKE):
        name = f"{number}" + "\xff" * 253
        long.attempt("denied", name, 443, "http", "not-a-name", "", name)
        long.attempt("denied", name, 443, "http", "canary", "", name)
        long.attempt("reached", name, 443, "http", "rule", "", name)
        long.say("asked", id=number, name=name, port=1, why="\xff" * 500)
        long.say("assigned", name="a" * 253, address="198.18.16.1")
        long.credential("npm", "refused", 0, "host", name)
        if number % ALIKE == ALIKE - 1:
            long.tick()
    sent.clear()
    long.replay(0)
    assert 300_000 < sum(map(len, sent)) < MOST_UNREAD


def test_what_nobody_reads_is_counted_and_can_be_sent_again() -> None:
    says, reader = journal()
    reader.full = True
    says.say("policy", version=1, ports=[])
    reader.full = False
    says.tick()
    assert [event["event"] for event in reader.events] == ["lost"]
    says.replay(0)
    assert [event["seq"] for event in reader.events] == [2, 1, 2]


def test_a_count_that_nobody_reads_is_told_once() -> None:
    says, reader = journal()
    says.lose(7)
    reader.full = True
    for _ in range(3):
        says.tick()
    reader.full = False
    says.tick()
    says.replay(0)
    assert [event["count"] for event in reader.events] == [7, 7]
    assert reader.events[0] == reader.events[1]


def test_hostile_names_are_cut() -> None:
    says, reader = journal()
    says.attempt("denied", "x" * 10_000, 443, "http", "not-a-name", "", "y" * 10_000)
    assert len(reader.events[0]["name"]) == 253 and len(reader.events[0]["detail"]) == 253
