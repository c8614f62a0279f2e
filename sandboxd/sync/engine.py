"""Decides when both sides are compared: events go in, actions come out. Pure; the time is an argument.

Times are in seconds of a monotonic clock. The caller does each action in order, and calls again at `State.wake_at`.
"""

from __future__ import annotations

import enum
from typing import NamedTuple

from sandboxd.sync.run import Report, Rest
from sandboxd.sync.steps import Side
from sandboxd.sync.stops import Reason, Stop

QUIET_SECONDS = 0.01
"""A batch of changes is compared after nothing changed for so long: editors replace a file by several calls."""
LONGEST_BATCH_SECONDS = 0.1
"""The longest time for which a batch is delayed by that."""
SWEEP_SECONDS = 300.0
"""The time between two full looks without an event, since a kernel may have dropped one."""
POLL_SECONDS = 1.0
"""The same while a side reports no events, or does not exist."""
RETRY_SECONDS = 30.0
"""The longest time until something that failed is tried again."""
PRUNE_SECONDS = 3600.0
_SIDES = {Side.HOST: "the workspace on the host", Side.INSIDE: "the copy inside"}
_ASKED = frozenset((Reason.REMOVALS, Reason.EMPTIED))
_MOST_TRIES = 6


class Phase(enum.Enum):
    """What the session is doing."""

    IDLE = "waits for a change"
    SETTLING = "waits for the end of a batch of changes"
    RUNNING = "compares, and does what that says"
    ASKING = "waits for the user's answer"
    STOPPED = "waits for an act of the user"
    ENDED = "has ended"


class Changed(NamedTuple):
    """Event: something changed on a side."""

    side: Side


class Wanted(NamedTuple):
    """Event: somebody waits for the end of a run that begins from now on."""


class Lost(NamedTuple):
    """Event: anything on a side may have changed, because events were lost or the machine slept."""

    side: Side
    why: str


class Deaf(NamedTuple):
    """Event: whether a side reports no events, so that it has to be polled."""

    side: Side
    is_deaf: bool


class Tick(NamedTuple):
    """Event: time has passed."""


class Finished(NamedTuple):
    """Event: the action `Run` has finished."""

    report: Report


class Failed(NamedTuple):
    """Event: the action `Run` could not be done."""

    why: str


class Answered(NamedTuple):
    """Event: the user's answer to `stop`: whether the files may be removed; if not, they are restored."""

    stop: Stop
    may_go: bool


class Restarted(NamedTuple):
    """Event: the user confirms that both folders are right as they are; they are compared as at first."""


class Ended(NamedTuple):
    """Event: the session is to end."""


Event = Changed | Wanted | Lost | Deaf | Tick | Finished | Failed | Answered | Restarted | Ended


class Run(NamedTuple):
    """Action: compare, and apply the result; the paths `allowed` may be removed on the host."""

    allowed: frozenset[str] = frozenset()


class PutBack(NamedTuple):
    """Action: forget the common state of paths that one side lacks, so that they are restored from the other."""


class Forget(NamedTuple):
    """Action: forget the whole common state, and of which folders it was."""


class Prune(NamedTuple):
    """Action: delete what was removed more than seven days ago."""


class Ask(NamedTuple):
    """Action: ask the user; the answer is the event `Answered` with this stop."""

    stop: Stop


class Say(NamedTuple):
    """Action: report a problem to the user, which lasts until the next `Show`."""

    words: str


class Note(NamedTuple):
    """Action: record what happened; it is no problem."""

    words: str


class Show(NamedTuple):
    """Action: show the result of a run to the user."""

    report: Report


Do = Run | PutBack | Forget | Prune | Ask | Say | Note | Show


class State(NamedTuple):
    """The state between two events.

    :ivar began: when the current batch, or the current run, began
    :ivar not_before: the earliest time of the next run
    :ivar wake_at: when a `Tick` is due
    :ivar is_changed: whether something changed since the run began
    :ivar is_wanted: whether somebody waits for the next run
    :ivar stop: what the user was last asked or told; None if it no longer applies
    :ivar trouble: the problem that the user was last told; '' for none
    :ivar allowed: paths that the next run may remove on the host
    :ivar tries: the number of successive runs after which the sides still differed
    :ivar answer: the user's answer that came during a run; None for none
    """

    phase: Phase
    began: float
    wake_at: float
    is_changed: bool = False
    is_wanted: bool = False
    stop: Stop | None = None
    trouble: str = ""
    allowed: frozenset[str] = frozenset()
    tries: int = 0
    not_before: float = 0.0
    answer: Answered | None = None
    deaf: frozenset[Side] = frozenset()
    pruned_at: float = 0.0


def start(now: float) -> State:
    """The initial state. As earlier changes are not known, both sides are looked at."""
    return State(Phase.SETTLING, now, now, pruned_at=now)


def advance(state: State, event: Event, now: float) -> tuple[State, tuple[Do, ...]]:
    """The state after `event`, and the actions to do."""
    if state.phase is Phase.ENDED:
        return state, ()
    match event:
        case Changed():
            return _note_change(state, now), ()
        case Wanted():
            # Pauses are for changes that nobody waits for.
            return _note_change(state._replace(not_before=now, is_wanted=True), now), ()
        case Lost(side, why):
            words = f"{why}: {_SIDES[side]} is looked at as a whole"
            return _note_change(state, now), (Note(words),)
        case Deaf(side, is_deaf):
            return _note_deaf(state, side, is_deaf, now), ()
        case Tick():
            return _note_time(state, now)
        case Finished() | Failed():
            return _end_run(state, event, now) if state.phase is Phase.RUNNING else (state, ())
        case Answered():
            return _answer(state, event, now)
        case Restarted():
            return _restart(state, now)
        case Ended():
            return state._replace(phase=Phase.ENDED, wake_at=float("inf")), ()


def _note_change(state: State, now: float) -> State:
    if state.phase is Phase.RUNNING:
        return state._replace(is_changed=True)
    if state.phase is Phase.SETTLING:
        latest = state.began + LONGEST_BATCH_SECONDS
        # A retry that was to come later comes now.
        wake_at = min(max(latest, now), now + QUIET_SECONDS)
        return state._replace(wake_at=max(state.not_before, wake_at))
    if state.phase is Phase.STOPPED:
        return state
    # While it is asked what is asked may change: the user may have put the files back.
    return _settle(state, now, now + QUIET_SECONDS)


def _settle(state: State, began: float, wake_at: float) -> State:
    return state._replace(phase=Phase.SETTLING, began=began, wake_at=wake_at)


def _note_deaf(state: State, side: Side, is_deaf: bool, now: float) -> State:
    state = state._replace(deaf=state.deaf | {side} if is_deaf else state.deaf - {side})
    # Either way something may have been missed at this moment.
    return _note_change(state, now)


def _note_time(state: State, now: float) -> tuple[State, tuple[Do, ...]]:
    if now < state.wake_at or state.phase is Phase.RUNNING:
        return state, ()
    steps: tuple[Do, ...] = ()
    if now - state.pruned_at >= PRUNE_SECONDS:
        state, steps = state._replace(pruned_at=now), (Prune(),)
    if state.phase is Phase.ASKING:
        return state._replace(wake_at=now + PRUNE_SECONDS), steps
    run = Run(state.allowed)
    state = state._replace(began=now, wake_at=float("inf"), is_changed=False, is_wanted=False)
    return state._replace(phase=Phase.RUNNING, allowed=frozenset()), (*steps, run)


def _end_run(state: State, event: Finished | Failed, now: float) -> tuple[State, tuple[Do, ...]]:
    answer, state = state.answer, state._replace(answer=None)
    if isinstance(event, Failed):
        state, steps = _fail(state, event.why, now)
    else:
        state, steps = _finish(state, event.report, now)
    if answer is None:
        return state, steps
    state, more = _answer(state, answer, now)
    return state, (*steps, *more)


def _finish(state: State, report: Report, now: float) -> tuple[State, tuple[Do, ...]]:
    stop = report.last.stop
    shown: tuple[Do, ...] = (Show(report),)
    if stop is not None:
        return _stop(state, stop, now, shown)
    state = state._replace(stop=None, trouble="")
    if report.rest is Rest.SAME:
        return _rest(state._replace(tries=0), now), shown
    if report.rest is Rest.BUSY:
        state = _hold_off(state, now)
    return _retry(state, now), shown


def _hold_off(state: State, now: float) -> State:
    """`state` with a pause before the next run: a side that changes all the time takes half of the time and no more."""
    if state.is_wanted:
        return state
    return state._replace(not_before=now + (now - state.began))


def _rest(state: State, now: float) -> State:
    if state.is_changed:
        state = _hold_off(state, now)
        return _settle(state, now, max(state.not_before, now + QUIET_SECONDS))
    pause = POLL_SECONDS if state.deaf else SWEEP_SECONDS
    return state._replace(phase=Phase.IDLE, wake_at=now + pause)


def _retry(state: State, now: float) -> State:
    """Run again after a while, the longer the more often it was in vain, or with the next change."""
    tries = min(state.tries + 1, _MOST_TRIES)
    pause = min(POLL_SECONDS * 2 ** (tries - 1), RETRY_SECONDS)
    wake_at = now + (QUIET_SECONDS if state.is_changed else pause)
    state = state._replace(tries=tries)
    return _settle(state, now, max(state.not_before, wake_at))


def _stop(
    state: State, stop: Stop, now: float, shown: tuple[Do, ...]
) -> tuple[State, tuple[Do, ...]]:
    asks: tuple[Do, ...] = (Ask(stop),) if stop != state.stop else ()
    state = state._replace(stop=stop, trouble="")
    if stop.reason in _ASKED:
        if state.is_changed:
            return _settle(state, now, now + QUIET_SECONDS), (*shown, *asks)
        return state._replace(phase=Phase.ASKING, wake_at=now + PRUNE_SECONDS), (*shown, *asks)
    # Another folder in the place of one of them is seen by the next look, too: nothing is done until it is right.
    return _retry(state, now)._replace(phase=Phase.STOPPED), shown


def _fail(state: State, why: str, now: float) -> tuple[State, tuple[Do, ...]]:
    steps: tuple[Do, ...] = (Say(why),) if why != state.trouble else ()
    return _retry(state._replace(trouble=why), now), steps


def _answer(state: State, answer: Answered, now: float) -> tuple[State, tuple[Do, ...]]:
    """Take over an answer, unless it is to another question than the one that stands."""
    if state.phase is Phase.RUNNING:
        return state._replace(answer=answer), ()
    if answer.stop != state.stop or answer.stop.reason not in _ASKED:
        return state, ()
    state = _settle(state._replace(stop=None), now, now)
    if answer.may_go:
        return state._replace(allowed=answer.stop.files), ()
    return state, (PutBack(),)


def _restart(state: State, now: float) -> tuple[State, tuple[Do, ...]]:
    if state.phase is not Phase.STOPPED:
        return state, ()
    return _settle(state._replace(stop=None), now, now), (Forget(),)
