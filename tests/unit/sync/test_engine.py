"""When both sides are compared: event by event, with a clock that stands until it is set."""

from __future__ import annotations

from random import Random

import pytest

from sandboxd.sync import engine
from sandboxd.sync.compare import Comparison
from sandboxd.sync.engine import (
    Answered,
    Ask,
    Changed,
    Deaf,
    Do,
    Ended,
    Event,
    Failed,
    Finished,
    Forget,
    Lost,
    Note,
    Phase,
    Prune,
    PutBack,
    Restarted,
    Run,
    Say,
    Show,
    Tick,
    Wanted,
    advance,
)
from sandboxd.sync.run import Report, Rest
from sandboxd.sync.steps import Side
from sandboxd.sync.stops import Reason, Stop

FILES = frozenset(f"f{number}" for number in range(120))
MANY = Stop(Reason.REMOVALS, Side.HOST, FILES)
SAME = Report(Rest.SAME, Comparison())
BUSY = Report(Rest.BUSY, Comparison())
HELD_UP = Report(Rest.HELD_UP, Comparison())


def stopped(stop: Stop) -> Report:
    return Report(Rest.STOPPED, Comparison(stop=stop))


class Engine:
    """A state, and a clock."""

    def __init__(self) -> None:
        self.now = 1000.0
        self.state = engine.start(self.now)

    def put(self, event: Event, at: float | None = None) -> tuple[Do, ...]:
        if at is not None:
            self.now = at
        self.state, steps = advance(self.state, event, self.now)
        return steps

    def wake(self) -> tuple[Do, ...]:
        """Let the time pass until something is due."""
        self.now = max(self.now, self.state.wake_at)
        return self.put(Tick())

    def rest(self) -> None:
        """As after a first run that came to rest."""
        assert self.wake() == (Run(),)
        assert self.put(Finished(SAME)) == (Show(SAME),)
        assert self.state.phase is Phase.IDLE


@pytest.fixture
def resting() -> Engine:
    result = Engine()
    result.rest()
    return result


def test_both_are_compared_at_first() -> None:
    assert Engine().put(Tick()) == (Run(),)


def test_a_change_is_compared_once_it_is_quiet(resting: Engine) -> None:
    assert resting.put(Changed(Side.HOST)) == ()
    assert resting.put(Tick(), resting.now + engine.QUIET_SECONDS / 2) == ()
    assert resting.put(Changed(Side.INSIDE)) == ()
    assert resting.put(Tick(), resting.now + engine.QUIET_SECONDS / 2) == ()
    assert resting.wake() == (Run(),)


def test_changes_without_a_pause_are_compared_all_the_same(resting: Engine) -> None:
    begin = resting.now
    while not resting.put(Changed(Side.HOST), resting.now + engine.QUIET_SECONDS / 2):
        if resting.put(Tick()):
            break
        assert resting.now <= begin + engine.LONGEST_BATCH_SECONDS + engine.QUIET_SECONDS
    assert resting.state.phase is Phase.RUNNING


def test_a_change_in_the_middle_of_a_run_is_compared_after_it(resting: Engine) -> None:
    resting.put(Changed(Side.HOST))
    resting.wake()
    assert resting.put(Changed(Side.HOST)) == ()
    assert resting.put(Tick()) == ()
    assert resting.put(Finished(SAME)) == (Show(SAME),)
    assert resting.state.wake_at == resting.now + engine.QUIET_SECONDS
    assert resting.wake() == (Run(),)


def test_without_an_event_it_looks_from_time_to_time(resting: Engine) -> None:
    begin = resting.now
    assert resting.wake() == (Run(),)
    assert resting.now - begin == engine.SWEEP_SECONDS
    resting.put(Finished(SAME))
    resting.put(Deaf(Side.HOST, True))
    assert resting.wake() == (Run(),)
    resting.put(Finished(SAME))
    begin = resting.now
    assert resting.wake() == (Run(),)
    assert resting.now - begin == engine.POLL_SECONDS
    resting.put(Finished(SAME))
    resting.put(Deaf(Side.HOST, False))
    resting.wake()
    resting.put(Finished(SAME))
    assert resting.state.wake_at == resting.now + engine.SWEEP_SECONDS


def test_lost_events_are_said_and_looked_for(resting: Engine) -> None:
    (say,) = resting.put(Lost(Side.INSIDE, "events were lost"))
    assert say == Note("events were lost: the copy inside is looked at as a whole")
    assert resting.wake() == (Run(),)


@pytest.mark.parametrize("may_go", [True, False])
def test_the_user_is_asked_once_and_has_the_last_word(resting: Engine, may_go: bool) -> None:
    resting.put(Changed(Side.INSIDE))
    resting.wake()
    assert resting.put(Finished(stopped(MANY))) == (Show(stopped(MANY)), Ask(MANY))
    assert resting.state.phase is Phase.ASKING
    # Something else changes, and what is asked is the same.
    resting.put(Changed(Side.HOST))
    assert resting.wake() == (Run(),)
    assert resting.put(Finished(stopped(MANY))) == (Show(stopped(MANY)),)
    assert resting.state.phase is Phase.ASKING
    assert resting.put(Answered(MANY, may_go)) == (() if may_go else (PutBack(),))
    assert resting.put(Tick()) == (Run(FILES if may_go else frozenset()),)
    resting.put(Finished(SAME))
    # It was for this run alone.
    resting.put(Changed(Side.HOST))
    assert resting.wake() == (Run(),)


def test_an_answer_to_another_question_is_none(resting: Engine) -> None:
    resting.put(Changed(Side.INSIDE))
    resting.wake()
    resting.put(Finished(stopped(MANY)))
    more = MANY._replace(files=FILES | {"one more"})
    resting.put(Changed(Side.INSIDE))
    resting.wake()
    assert Ask(more) in resting.put(Finished(stopped(more)))
    assert resting.put(Answered(MANY, True)) == ()
    assert resting.state.phase is Phase.ASKING
    # Nor is one that comes when nothing is asked any more.
    resting.put(Changed(Side.INSIDE))
    resting.wake()
    resting.put(Finished(SAME))
    assert resting.put(Answered(more, True)) == ()
    resting.put(Changed(Side.INSIDE))
    assert resting.wake() == (Run(),)


@pytest.mark.parametrize("may_go", [True, False])
def test_an_answer_in_the_middle_of_a_run_counts_after_it(resting: Engine, may_go: bool) -> None:
    resting.put(Changed(Side.INSIDE))
    resting.wake()
    resting.put(Finished(stopped(MANY)))
    resting.put(Changed(Side.HOST))
    resting.wake()
    assert resting.put(Answered(MANY, may_go)) == ()
    steps = resting.put(Finished(stopped(MANY)))
    assert steps == (Show(stopped(MANY)), *(() if may_go else (PutBack(),)))
    assert resting.wake() == (Run(FILES if may_go else frozenset()),)


@pytest.mark.parametrize("reason", [Reason.MISSING, Reason.REPLACED, Reason.TOO_LARGE])
def test_a_side_that_is_not_what_it_was_stops_it(resting: Engine, reason: Reason) -> None:
    stop = Stop(reason, Side.HOST)
    resting.put(Changed(Side.HOST))
    resting.wake()
    assert resting.put(Finished(stopped(stop))) == (Show(stopped(stop)),)
    # It is looked at again, at longer and longer intervals; no change hurries that.
    waits = []
    for _ in range(8):
        begin = resting.now
        assert resting.put(Changed(Side.HOST)) == ()
        assert resting.put(Tick()) == ()
        assert resting.wake() == (Run(),)
        waits.append(resting.now - begin)
        assert resting.put(Finished(stopped(stop))) == (Show(stopped(stop)),)
    assert waits == sorted(waits)
    assert waits[-1] == engine.RETRY_SECONDS
    # It is right again by itself.
    resting.wake()
    assert resting.put(Finished(SAME)) == (Show(SAME),)
    assert resting.state.phase is Phase.IDLE


def test_the_user_says_that_another_folder_is_right(resting: Engine) -> None:
    assert resting.put(Restarted()) == ()
    resting.put(Changed(Side.HOST))
    resting.wake()
    resting.put(Finished(stopped(Stop(Reason.REPLACED, Side.INSIDE))))
    assert resting.put(Restarted()) == (Forget(),)
    assert resting.put(Tick()) == (Run(),)


def test_what_cannot_be_done_is_tried_again_or_with_the_next_change(resting: Engine) -> None:
    resting.put(Changed(Side.HOST))
    resting.wake()
    resting.put(Finished(HELD_UP))
    begin = resting.now
    assert resting.put(Tick()) == ()
    assert resting.wake() == (Run(),)
    assert resting.now - begin == engine.POLL_SECONDS
    resting.put(Finished(HELD_UP))
    begin = resting.now
    resting.put(Changed(Side.HOST))
    assert resting.wake() == (Run(),)
    assert resting.now - begin <= engine.QUIET_SECONDS


@pytest.mark.parametrize("report", [SAME, BUSY])
def test_a_side_that_never_rests_takes_half_of_the_time(resting: Engine, report: Report) -> None:
    """As one does in which a program writes a log, even if each run finds a moment of rest."""
    resting.put(Changed(Side.INSIDE))
    resting.wake()
    resting.now += 7
    resting.put(Changed(Side.INSIDE))
    resting.put(Finished(report))
    begin = resting.now
    resting.put(Changed(Side.INSIDE))
    assert resting.wake() == (Run(),)
    assert resting.now - begin == 7


def test_a_failure_is_said_once_and_tried_again(resting: Engine) -> None:
    resting.put(Changed(Side.HOST))
    resting.wake()
    assert resting.put(Failed("no space")) == (Say("no space"),)
    assert resting.wake() == (Run(),)
    assert resting.put(Failed("no space")) == ()
    assert resting.wake() == (Run(),)
    resting.put(Finished(SAME))
    resting.put(Changed(Side.HOST))
    resting.wake()
    assert resting.put(Failed("no space")) == (Say("no space"),)


def test_what_was_removed_goes_in_time(resting: Engine) -> None:
    begin = resting.now
    while Prune() not in resting.wake():
        resting.put(Finished(SAME))
    assert resting.now - begin + engine.SWEEP_SECONDS >= engine.PRUNE_SECONDS
    assert resting.now - begin <= engine.PRUNE_SECONDS + engine.SWEEP_SECONDS


def test_after_the_end_there_is_nothing(resting: Engine) -> None:
    resting.put(Ended())
    for event in (Changed(Side.HOST), Tick(), Lost(Side.HOST, "x"), Restarted()):
        assert resting.put(event, resting.now + 1e6) == ()
    assert resting.state.phase is Phase.ENDED


EVENTS: tuple[Event, ...] = (
    *(Changed(side) for side in Side),
    *(Deaf(side, is_deaf) for side in Side for is_deaf in (True, False)),
    Lost(Side.HOST, "events were lost"),
    Tick(),
    Answered(MANY, True),
    Answered(MANY, False),
    Restarted(),
)
STOPS = (MANY, Stop(Reason.EMPTIED, Side.INSIDE, frozenset("abc")), Stop(Reason.MISSING, Side.HOST))
ENDS: tuple[Event, ...] = (
    *(Finished(report) for report in (SAME, BUSY, HELD_UP)),
    *(Finished(stopped(stop)) for stop in STOPS),
    Failed("no space"),
)


@pytest.mark.parametrize("seed", range(100))
def test_whatever_happens_no_change_is_forgotten_and_nothing_goes_unasked(seed: int) -> None:
    random, pair = Random(seed), Engine()
    allowed: frozenset[str] = frozenset()
    pending = True
    for _ in range(400):
        pair.now += random.choice((0.0, 0.001, 0.02, 2.0, 400.0))
        is_running = pair.state.phase is Phase.RUNNING
        event = random.choice(ENDS if is_running and random.random() < 0.5 else EVENTS)
        asked = pair.state.stop
        steps = pair.put(event)
        if isinstance(event, Answered) and event.may_go and event.stop == MANY:
            allowed = MANY.files if asked == MANY or is_running else allowed
        pending = pending or isinstance(event, Changed | Lost)
        for step in steps:
            if isinstance(step, Run):
                assert not is_running, "two at once"
                assert step.allowed in (frozenset(), allowed)
                allowed, pending = frozenset(), False
        # Until it asks, every change has a time at which it is compared.
        if pair.state.phase is not Phase.RUNNING:
            assert pair.state.wake_at < float("inf")
        assert pair.state.phase is not Phase.IDLE or not pending


def test_whoever_waits_is_not_held_off(resting: Engine) -> None:
    began = resting.now + 10
    resting.put(Changed(Side.HOST), began)
    resting.put(Tick(), began + 1)
    resting.put(Changed(Side.HOST), began + 2)
    resting.put(Finished(SAME), began + 21)
    assert resting.state.wake_at == began + 41
    resting.put(Wanted(), began + 22)
    assert resting.state.wake_at < began + 23
    # A change in that moment does not bring the pause back.
    resting.put(Changed(Side.HOST), began + 22)
    assert resting.state.wake_at < began + 23
    # Neither does the end of the run that was under way.
    resting.put(Tick(), began + 23)
    resting.put(Wanted(), began + 24)
    resting.put(Finished(SAME), began + 43)
    assert resting.state.wake_at < began + 44
