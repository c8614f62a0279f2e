"""The loop of one sandbox: each cause leads to a look, and so does the end of what was given."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator

import pytest

from sandboxd.daemon import rights_loop
from sandboxd.daemon.rights_loop import RightsLoop
from sandboxd.errors import EnvironmentFailure, UsageError
from tests.patience import PATIENCE, eventually


class Played:
    """A loop whose looks are counted; `then` says what one does."""

    def __init__(self) -> None:
        self.looks = threading.Semaphore(0)
        self.then: Callable[[], float] = lambda: 0.0
        self.now = 0.0
        self.loop = RightsLoop(self._act, lambda: self.now)
        self.loop.start()

    def _act(self) -> float:
        try:
            return self.then()
        finally:
            self.looks.release()

    def looked(self) -> bool:
        return self.looks.acquire(timeout=PATIENCE)


@pytest.fixture
def played() -> Iterator[Played]:
    one = Played()
    yield one
    one.loop.stop()
    assert one.loop.wait(PATIENCE)


def test_causes_that_come_while_it_looks_lead_to_one_look_more(played: Played) -> None:
    begun, may_end = threading.Event(), threading.Event()

    def slow() -> float:
        begun.set()
        may_end.wait(PATIENCE)
        return 0.0

    played.then = slow
    played.loop.wake()
    assert begun.wait(PATIENCE)
    for _ in range(5):
        played.loop.wake()
    may_end.set()
    assert played.looked() and played.looked()
    assert not played.looks.acquire(timeout=0.1)


def test_a_look_that_does_not_end_is_said(played: Played, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(rights_loop, "STUCK_SECONDS", 0.0)
    begun, may_end = threading.Event(), threading.Event()

    def hang() -> float:
        begun.set()
        may_end.wait(PATIENCE)
        return 0.0

    assert not played.loop.is_stuck()
    played.then = hang
    played.loop.wake()
    assert begun.wait(PATIENCE) and played.loop.is_stuck()
    may_end.set()
    eventually(lambda: not played.loop.is_stuck(), lambda: "it ended")


def test_it_looks_again_when_what_it_gave_ends(
    played: Played, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Also where the clock is set on while it waits."""
    monkeypatch.setattr(rights_loop, "_LONGEST_WAIT_SECONDS", 0.01)
    ends = iter((1000.0, 0.0))
    played.then = lambda: next(ends)
    played.loop.wake()
    assert played.looked()
    assert not played.looks.acquire(timeout=0.1)
    played.now = 1000.0
    assert played.looked()


def test_a_clock_that_is_set_back_makes_nothing_last_longer(played: Played) -> None:
    played.now = 1e9
    ends = iter((1e9 + 0.2, 0.0))
    played.then = lambda: next(ends)
    played.loop.wake()
    assert played.looked()
    played.now = 1e9 - 5000
    assert played.looked()


def test_what_fails_is_tried_again_and_what_a_person_has_to_correct_is_not(
    played: Played, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(played.loop, "_pause", 0.01)
    outcomes = iter((EnvironmentFailure("the engine hangs", "wait"), None, UsageError("a", "b")))

    def act() -> float:
        outcome = next(outcomes)
        if outcome is not None:
            raise outcome
        return 0.0

    played.then = act
    played.loop.wake()
    assert played.looked() and played.looked(), "by itself"
    played.loop.wake()
    assert played.looked()
    assert not played.looks.acquire(timeout=0.1)


def test_a_fault_of_ours_is_tried_again_by_itself(
    played: Played, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What was to be taken back would stay until something else happens."""
    monkeypatch.setattr(played.loop, "_pause", 0.01)
    outcomes = iter((RuntimeError(), KeyError("x"), None))

    def act() -> float:
        outcome = next(outcomes)
        if outcome is not None:
            raise outcome
        return 0.0

    played.then = act
    played.loop.wake()
    assert played.looked() and played.looked() and played.looked()
    assert not played.looks.acquire(timeout=0.1), "it went well in the end"
