"""Keeps two sides equal for as long as it runs: connects `engine` with the clock, the event queue and the folders."""

from __future__ import annotations

import contextlib
import queue
import time
from collections.abc import Callable, Iterator
from typing import NamedTuple, TypeVar

from sandboxd.errors import SandboxdError
from sandboxd.sync import engine
from sandboxd.sync.engine import (
    Ask,
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
    Run,
    Say,
    Show,
    Tick,
    Wanted,
)
from sandboxd.sync.flows import Policies
from sandboxd.sync.journal import Journal
from sandboxd.sync.local import LocalSide
from sandboxd.sync.retention import Retention
from sandboxd.sync.run import InsideSide, Report, keep_the_same, put_back
from sandboxd.sync.state import Root
from sandboxd.sync.steps import Side

T = TypeVar("T")

_LONGEST_WAIT = 10.0
"""Seconds between two comparisons of the clocks, which show whether the machine slept."""
_SLEPT_SECONDS = 5.0


class Clocks(NamedTuple):
    """Two clocks in seconds: `steady` is monotonic and stops while the machine sleeps; `day` is the time of day."""

    steady: Callable[[], float] = time.monotonic
    day: Callable[[], float] = time.time


class Pair(NamedTuple):
    """The two sides, the journal, and the folders with what was removed on each.

    :ivar copy: the identity of the copy inside; what the journal says of another copy is forgotten, as each begins
        empty. None if both sides are folders that a person chose.
    """

    host: LocalSide
    inside: InsideSide
    journal: Journal
    policies: Policies
    retentions: tuple[Retention, ...] = ()
    copy: Root | None = None

    @contextlib.contextmanager
    def turn(self) -> Iterator[None]:
        """Keep other processes from both sides while the block runs, as `Journal.turn`."""
        with self.journal.turn():
            roots = self.journal.roots
            if self.copy is not None and roots is not None and roots.inside != self.copy:
                self.journal.forget()
            yield

    def save_stamps(self) -> None:
        """Have a later start read those files alone that changed since, on both sides."""
        self.host.save_stamps()
        self.inside.save_stamps()

    def compare(self, allowed: frozenset[str] = frozenset()) -> Report:
        """Make both sides equal once, see `run.keep_the_same`."""
        with self.turn():
            return keep_the_same(*self[:4], allowed=allowed)


class Session:
    """One pair of sides that is kept equal.

    :param tell: called with each `Ask`, `Say`, `Note` and `Show`, in the thread of `run`
    :param between: called after each scan, before anything is done
    """

    def __init__(
        self,
        pair: Pair,
        tell: Callable[[Ask | Say | Note | Show], None],
        clocks: Clocks | None = None,
        between: Callable[[], None] = lambda: None,
    ) -> None:
        self._pair, self._tell, self._between = pair, tell, between
        self._clocks = clocks or Clocks()
        self._events: queue.SimpleQueue[Event] = queue.SimpleQueue()
        self._waiters: queue.SimpleQueue[queue.SimpleQueue[Report | None]] = queue.SimpleQueue()
        self._state = engine.start(self._clocks.steady())
        self._times = (self._clocks.steady(), self._clocks.day())

    @property
    def phase(self) -> Phase:
        """What the session is doing."""
        return self._state.phase

    @property
    def wake_at(self) -> float:
        """When it has to act without an event, in seconds of `Clocks.steady`."""
        return self._state.wake_at

    def put(self, event: Event) -> None:
        """Add an event; may be called from any thread."""
        self._events.put(event)

    def run(self) -> None:
        """Keep both sides equal until the event `Ended`."""
        while self.phase is not Phase.ENDED:
            wait = min(max(self._state.wake_at - self._clocks.steady(), 0.0), _LONGEST_WAIT)
            try:
                event: Event = self._events.get(timeout=wait)
            except queue.Empty:
                event = Tick()
            self._take(event)

    def turn(self) -> None:
        """Process the waiting events and what is due now, without waiting."""
        for event in _drain(self._events):
            self._take(event)
        self._take(Tick())

    def settle(self, seconds: float) -> Report | None:
        """Have both sides compared, and wait for the end of a run that began after this call, from any thread.

        :returns: None if there was none within `seconds`, or it could not be done
        """
        if self.phase is Phase.STOPPED:
            # It looks again from time to time, and not for a change.
            return None
        waiter: queue.SimpleQueue[Report | None] = queue.SimpleQueue()
        self._waiters.put(waiter)
        self.put(Wanted())
        try:
            return waiter.get(timeout=seconds)
        except queue.Empty:
            return None

    def end(self) -> None:
        """Make `run` return after its present action; may be called from any thread."""
        self.put(Ended())

    def _take(self, event: Event) -> None:
        self._note_sleep()
        self._advance(event)
        # Changes that come without a pause are no reason never to begin.
        if not isinstance(event, Tick) and self._clocks.steady() >= self._state.wake_at:
            self._advance(Tick())

    def _advance(self, event: Event) -> None:
        self._state, steps = engine.advance(self._state, event, self._clocks.steady())
        for step in steps:
            self._do(step)

    def _note_sleep(self) -> None:
        """A machine that slept, or a clock that was set: neither tells what happened meanwhile."""
        steady, day = self._clocks.steady(), self._clocks.day()
        difference = (day - self._times[1]) - (steady - self._times[0])
        self._times = (steady, day)
        if abs(difference) > _SLEPT_SECONDS:
            for side in Side:
                self._advance(Lost(side, "the machine slept, or its clock was set"))

    def _do(self, step: Do) -> None:
        match step:
            case Run(allowed):
                self._run(allowed)
            case PutBack():
                self._try(self._put_back)
            case Forget():
                self._try(self._forget)
            case Prune():
                for retention in self._pair.retentions:
                    self._try(retention.prune)
            case Ask() | Say() | Note() | Show():
                self._tell(step)

    def _run(self, allowed: frozenset[str]) -> None:
        waiters = list(_drain(self._waiters))
        report = None
        try:
            end = self._keep_the_same(allowed)
            # What came meanwhile is of the time of the run: one that is always followed by another has pauses.
            for event in _drain(self._events):
                self._advance(event)
            self._advance(end)
            report = end.report if isinstance(end, Finished) else None
        finally:
            # Last, so that whoever waited finds the result where it is shown.
            for waiter in waiters:
                waiter.put(report)
        if report is not None:
            self._pair.save_stamps()

    def _keep_the_same(self, allowed: frozenset[str]) -> Finished | Failed:
        try:
            with self._pair.turn():
                return Finished(
                    keep_the_same(*self._pair[:4], allowed=allowed, between=self._between)
                )
        except (SandboxdError, OSError) as error:
            return Failed(_words(error))

    def _put_back(self) -> None:
        with self._pair.turn():
            put_back(*self._pair[:4])

    def _forget(self) -> None:
        with self._pair.turn():
            self._pair.journal.forget()

    def _try(self, act: Callable[[], None]) -> None:
        try:
            act()
        except (SandboxdError, OSError) as error:
            self._tell(Say(_words(error)))


def _drain(waiting: queue.SimpleQueue[T]) -> Iterator[T]:
    """What has come so far, taken out."""
    while True:
        try:
            yield waiting.get_nowait()
        except queue.Empty:
            return


def _words(error: SandboxdError | OSError) -> str:
    if isinstance(error, SandboxdError):
        return error.message
    return (error.strerror or str(error)).lower()
