"""The bytes that a gateway reports become sums by name, over its restarts and for readers that come late."""

from __future__ import annotations

from typing import Any

import pytest

from sandboxd.egress.ledger import Ledger
from sandboxd.egress.traffic import MOST_NAMES, Carried, total


def ready(seq: int, **more: Any) -> Any:
    return {"event": "ready", "seq": seq, "time": 100.0 + seq} | more


def carried(seq: int, name: str, up: Any, down: Any = 0) -> Any:
    common = {"event": "carried", "seq": seq, "time": 100.0 + seq}
    return common | {"name": name, "bytes_up": up, "bytes_down": down}


def counting() -> Ledger:
    ledger = Ledger()
    ledger.take([ready(1, counts_bytes=True)])
    return ledger


def test_a_later_report_takes_the_place_of_an_earlier_one() -> None:
    ledger = counting()
    ledger.take([carried(2, "a.example", 5, 1), carried(3, "b.example", 9)])
    ledger.take([carried(4, "a.example", 7, 2)])
    assert ledger.traffic.by_name() == (Carried("b.example", 9, 0), Carried("a.example", 7, 2))


def test_a_report_that_comes_again_changes_nothing() -> None:
    ledger = counting()
    ledger.take([carried(5, "a.example", 7), carried(3, "a.example", 2)])
    ledger.take([carried(5, "a.example", 7)])
    assert ledger.traffic.by_name() == (Carried("a.example", 7, 0),)


def test_the_bytes_of_a_gateway_that_was_started_again_are_added() -> None:
    ledger = counting()
    ledger.take([carried(2, "a.example", 5, 1), carried(3, "b.example", 1)])
    ledger.last_number = 0
    ledger.take([ready(1, counts_bytes=True), carried(2, "a.example", 3, 1)])
    assert ledger.traffic.by_name() == (Carried("a.example", 8, 2), Carried("b.example", 1, 0))


def test_what_a_gateway_does_not_count_is_unknown_and_the_next_one_begins_anew() -> None:
    """A sum with a gap would pass for the whole."""
    ledger = counting()
    ledger.take([carried(2, "a.example", 5)])
    ledger.last_number = 0
    ledger.take([ready(1)])
    assert ledger.traffic.by_name() is None
    ledger.last_number = 0
    ledger.take([ready(1, counts_bytes=True), carried(2, "b.example", 3)])
    assert ledger.traffic.by_name() == (Carried("b.example", 3, 0),)


def test_without_the_first_event_nobody_knows_whether_all_was_counted() -> None:
    ledger = Ledger()
    ledger.take([carried(7, "a.example", 5)])
    assert ledger.traffic.by_name() is None


def test_a_gateway_that_counts_and_carried_nothing_is_a_known_zero() -> None:
    assert counting().traffic.by_name() == ()
    assert total(()) == Carried("", 0, 0)


def test_names_are_bounded_and_their_bytes_are_not_lost_by_a_restart() -> None:
    ledger = counting()
    for run in range(3):
        ledger.last_number = 0
        ledger.take([ready(1, counts_bytes=True)])
        ledger.take(carried(2 + n, f"r{run}-{n}.example", 1, 2) for n in range(MOST_NAMES // 2))
    sums = ledger.traffic.by_name()
    assert sums is not None and len(sums) <= MOST_NAMES + 1
    assert total(sums) == Carried("", 3 * (MOST_NAMES // 2), 3 * MOST_NAMES)


@pytest.mark.parametrize("number", [-1, 1.5, "7", True, None, 1 << 70])
def test_what_is_no_number_of_bytes_is_refused(number: Any) -> None:
    """A cluster's log is written by a Pod, which may lie."""
    ledger = counting()
    for event in (carried(2, "a.example", number), carried(3, "a.example", 1, number)):
        with pytest.raises(ValueError, match="no number of bytes"):
            ledger.take([event])
    assert ledger.traffic.by_name() == ()
