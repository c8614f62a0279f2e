"""A start's timeline: what the start itself waited for adds up to the whole, what ran beside it does not."""

from __future__ import annotations

import threading

import pytest

from sandboxd.engine import timeline
from sandboxd.engine.timeline import Span, Timeline
from tests.patience import PATIENCE


class Clock:
    """Seconds that pass as a test says."""

    def __init__(self) -> None:
        self.now = 50.0

    def __call__(self) -> float:
        return self.now

    def passes(self, milliseconds: float) -> None:
        self.now += milliseconds / 1000


@pytest.fixture
def clock() -> Clock:
    return Clock()


def rounded(span: Span) -> tuple[str, str, int, int, int, bool]:
    return (
        span.part,
        span.name,
        round(span.began),
        round(span.ended),
        span.depth,
        span.is_beside,
    )


def test_a_part_within_another_counts_once(clock: Clock) -> None:
    line = Timeline(clock)
    with line.current():
        clock.passes(5)
        with timeline.span("gateway", "networks"):
            clock.passes(10)
            with timeline.span("engine", "create network"):
                clock.passes(20)
        with timeline.span("runtime", "start"):
            clock.passes(40)
        clock.passes(1)
    timing = line.timing()
    assert [rounded(span) for span in timing.spans] == [
        ("gateway", "networks", 5, 35, 0, False),
        ("engine", "create network", 15, 35, 1, False),
        ("runtime", "start", 35, 75, 0, False),
    ]
    parts = {part: round(figure) for part, figure in timing.parts.items()}
    assert parts == {"gateway": 30, "runtime": 40, "ours": 6}
    assert sum(timing.parts.values()) == pytest.approx(timing.milliseconds) == pytest.approx(76)


def test_steps_of_ours_are_ours(clock: Clock) -> None:
    line = Timeline(clock)
    with line.current(), timeline.span("ours", "plan"):
        clock.passes(7)
    clock.passes(3)
    assert line.timing().parts == {"ours": pytest.approx(10)}


def test_what_runs_in_a_thread_is_beside_and_in_no_sum(clock: Clock) -> None:
    line = Timeline(clock)
    begun, over = threading.Event(), threading.Event()

    def work() -> None:
        with timeline.span("gateway", "have it run"), timeline.span("gateway", "policy"):
            begun.set()
            over.wait(PATIENCE)

    with line.current():
        thread = timeline.thread(work, "gateway")
        thread.start()
        assert begun.wait(PATIENCE)
        with timeline.span("runtime", "start"):
            clock.passes(30)
        over.set()
        thread.join()
    timing = line.timing()
    beside = [rounded(span) for span in timing.spans if span.is_beside]
    assert beside == [
        ("gateway", "have it run", 0, 30, 0, True),
        ("gateway", "policy", 0, 30, 1, True),
    ]
    assert timing.parts == {"runtime": pytest.approx(30), "ours": pytest.approx(0)}


def test_a_step_that_fails_is_written_down_and_the_next_is_no_part_of_it(clock: Clock) -> None:
    line = Timeline(clock)
    with line.current():
        with pytest.raises(ValueError), timeline.span("runtime", "start"):
            clock.passes(2)
            raise ValueError
        with timeline.span("engine", "remove"):
            clock.passes(1)
    assert [(span.name, span.depth) for span in line.timing().spans] == [
        ("start", 0),
        ("remove", 0),
    ]


def test_without_a_timeline_nothing_is_written_down(clock: Clock) -> None:
    line = Timeline(clock)
    with line.current():
        pass
    with timeline.span("engine", "create"):
        clock.passes(1)
    assert line.timing().spans == ()
