"""When both sides are compared, and when not: events go in, steps come out. Pure, with the time as an argument.

Times are in seconds of a clock that no one sets. Whoever runs it does each step in its order, and hands the time in
again at `State.wake_at`.
"""

from __future__ import annotations

import enum
from typing import NamedTuple

from sandboxd.sync.run import Report, Rest
from sandboxd.sync.steps import Side
from sandboxd.sync.stops import Reason, Stop

QUIET_SECONDS = 0.01
"""So long nobody changes anything before a batch is compared: an editor replaces a file by several calls."""
LONGEST_BATCH_SECONDS = 0.1
"""So long a batch waits for that at most."""
SWEEP_SECONDS = 300.0
"""Between two looks without an event: a kernel may have dropped one."""
POLL_SECONDS = 1.0
"""The same while a side has no events, or is not there."""
RETRY_SECONDS = 30.0
"""Until what could not be done is tried again, at the latest."""
PRUNE_SECONDS = 3600.0
_SIDES = {Side.HOST: "the workspace on the host", Side.INSIDE: "the copy inside"}
_ASKED = frozenset((Reason.REMOVALS, Reason.EMPTIED))
_MOST_TRIES = 6


class Phase(enum.Enum):
    """What goes on."""

    IDLE = "waits for a change"
    SETTLING = "waits for the end of a batch of changes"
    RUNNING = "compares, and does what that says"
    ASKING = "waits for the user's answer"
    STOPPED = "waits for an act of the user"
    ENDED = "has ended"


class Changed(NamedTuple):
    """Something changed on a side."""

    side: Side


class Lost(NamedTuple):
    """Any of a side may have changed: events were lost, or the machine slept."""

    side: Side
    why: str


class Deaf(NamedTuple):
    """Whether a side has no events, so that it is looked at from time to time."""

    side: Side
    is_deaf: bool


class Tick(NamedTuple):
    """Time went on."""


class Finished(NamedTuple):
    """The step RUN came to its end."""

    report: Report


class Failed(NamedTuple):
    """The step RUN could not be done."""

    why: str


class Answered(NamedTuple):
    """The user's answer to `stop`: whether the files may go; where not they are put back."""

    stop: Stop
    may_go: bool


class Restarted(NamedTuple):
    """The user says that the folders are right as they are: both sides are compared as at first."""


class Ended(NamedTuple):
    """Nothing more is to be done."""


Event = Changed | Lost | Deaf | Tick | Finished | Failed | Answered | Restarted | Ended


class Run(NamedTuple):
    """Compare, and do what that says; the paths `allowed` may go on the host."""

    allowed: frozenset[str] = frozenset()


class PutBack(NamedTuple):
    """Agree upon nothing where a side has nothing: what is gone on one comes back from the other."""


class Forget(NamedTuple):
    """Agree upon nothing, of whichever folders."""


class Prune(NamedTuple):
    """Let go of what was removed seven days ago."""


class Ask(NamedTuple):
    """Ask the user; the answer is `Answered` with this stop."""

    stop: Stop


class Say(NamedTuple):
    """Say to the user what is not as it should be."""

    words: str


class Show(NamedTuple):
    """Show what a run came to."""

    report: Report


Do = Run | PutBack | Forget | Prune | Ask | Say | Show


class State(NamedTuple):
    """What is known between two events.

    :ivar began: when the batch began that is waited for, or the run
    :ivar not_before: no run begins earlier, whatever changes
    :ivar wake_at: when a `Tick` is due
    :ivar is_changed: something changed since the run began
    :ivar stop: what the user was asked, or told, last; None once it is no more so
    :ivar allowed: paths that may go on the host in the next run
    :ivar tries: runs one after the other that did not come to rest
    :ivar answer: what the user answered while a run went on
    """

    phase: Phase
    began: float
    wake_at: float
    is_changed: bool = False
    stop: Stop | None = None
    trouble: str = ""
    allowed: frozenset[str] = frozenset()
    tries: int = 0
    not_before: float = 0.0
    answer: Answered | None = None
    deaf: frozenset[Side] = frozenset()
    pruned_at: float = 0.0


def start(now: float) -> State:
    """The state at first: what happened before is not known, so both sides are looked at."""
    return State(Phase.SETTLING, now, now, pruned_at=now)


def advance(state: State, event: Event, now: float) -> tuple[State, tuple[Do, ...]]:
    """The state after `event`, and what is to be done."""
    if state.phase is Phase.ENDED:
        return state, ()
    match event:
        case Changed():
            return _note_change(state, now), ()
        case Lost(side, why):
            words = f"{why}: {_SIDES[side]} is looked at as a whole"
            return _note_change(state, now), (Say(words),)
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
    state = state._replace(began=now, wake_at=float("inf"), is_changed=False)
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
        # A side that changes all the time takes half of the time and no more.
        state = state._replace(not_before=now + (now - state.began))
    return _retry(state, now), shown


def _rest(state: State, now: float) -> State:
    if state.is_changed:
        return _settle(state, now, now + QUIET_SECONDS)
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
    is_new = stop != state.stop
    state = state._replace(stop=stop, trouble="")
    if stop.reason in _ASKED:
        asks: tuple[Do, ...] = (Ask(stop),) if is_new else ()
        if state.is_changed:
            return _settle(state, now, now + QUIET_SECONDS), (*shown, *asks)
        return state._replace(phase=Phase.ASKING, wake_at=now + PRUNE_SECONDS), (*shown, *asks)
    # Another folder in the place of one of them is seen by the next look, too: nothing is done until it is right.
    words = f"{_SIDES[stop.side]}: {stop.reason.value}; nothing is kept the same meanwhile"
    says: tuple[Do, ...] = (Say(words),) if is_new else ()
    return _retry(state, now)._replace(phase=Phase.STOPPED), (*shown, *says)


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
