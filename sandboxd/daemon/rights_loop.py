"""A reconciling loop for one sandbox: brings what the sandbox has in line with what it may have.

Each loop has a thread of its own, so that a busy project or engine never delays taking a right back. Several wake-ups
while it works lead to one further round.
"""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable

from sandboxd.errors import EnvironmentFailure, UsageError

_FIRST_PAUSE_SECONDS, _LONGEST_PAUSE_SECONDS = 1.0, 30.0
_LONGEST_WAIT_SECONDS = 60.0
"""The clock is looked at so often: it may be set while an end is waited for."""

STUCK_SECONDS = 5.0
"""Seconds after which a round that goes on is said to be stuck: an engine, a disk or another process does not answer."""

FAULT = "a bug in sandboxd: see `sandboxd daemon logs`"
"""The reason, for a person, why rights are not what they should be after an unexpected exception."""

log = logging.getLogger(__name__)


class FailureTeller:
    """Passes on a failure that is met again and again the first time only. To be used in one thread.

    :param tell: called with a sentence for a person
    """

    def __init__(self, tell: Callable[[str], None]) -> None:
        self._tell, self._last = tell, ""

    def failed(self, text: str) -> None:
        """Note a failure; it is passed on unless it is the one of before."""
        if text != self._last:
            self._last = text
            self._tell(text)

    def succeeded(self) -> None:
        """Note that it works: the next failure is passed on, whichever it is."""
        self._last = ""


class RightsLoop:
    """Calls `act` after each `wake`, and at the time at which something that it gave expires.

    `wake` and `stop` may be called from any thread.
    """

    def __init__(self, act: Callable[[], float], clock: Callable[[], float] = time.time) -> None:
        """:param act: reconciles once; returns when a part of what it gave expires, in seconds since 1970, 0 for
            never. After any exception except a `UsageError` it is called again, with growing pauses
        :param clock: returns the present time in seconds since 1970
        """
        self._act, self._clock = act, clock
        self._due = threading.Event()
        self._is_stopped = False
        self._ends = 0.0
        self._ends_at = 0.0
        """When that end comes by a clock that nobody sets: a clock that is set back makes nothing last longer."""
        self._again: float | None = None
        """When it tries again what failed, by a clock that nobody sets."""
        self._pause = _FIRST_PAUSE_SECONDS
        self._began: float | None = None
        """When the round began that goes on, by a clock that nobody sets."""
        self._thread = threading.Thread(target=self._run, name="rights", daemon=True)

    def start(self) -> None:
        """Start the thread."""
        self._thread.start()

    def wake(self) -> None:
        """Have `act` called soon."""
        self._due.set()

    def stop(self) -> None:
        """Have the thread end, after the round that it may be in."""
        self._is_stopped = True
        self._due.set()

    def is_stuck(self) -> bool:
        """Whether a round goes on for so long that what was taken back may still be given."""
        began = self._began
        return began is not None and time.monotonic() - began >= STUCK_SECONDS

    def wait(self, seconds: float) -> bool:
        """Wait at most `seconds` for the end of the thread after `stop`; False if it still runs."""
        self._thread.join(seconds)
        return not self._thread.is_alive()

    def _run(self) -> None:
        while True:
            is_due = self._due.wait(self._seconds())
            if self._is_stopped:
                return
            if not is_due and not self._is_time():
                continue
            self._due.clear()
            self._began = time.monotonic()
            self._look()
            self._began = None

    def _seconds(self) -> float | None:
        """Seconds to wait for the next cause; None for as long as it takes."""
        waits = []
        if self._ends:
            left = min(self._ends - self._clock(), self._ends_at - time.monotonic())
            waits.append(min(left, _LONGEST_WAIT_SECONDS))
        if self._again is not None:
            waits.append(self._again - time.monotonic())
        return max(min(waits), 0.0) if waits else None

    def _is_time(self) -> bool:
        if self._again is not None and time.monotonic() >= self._again:
            return True
        if not self._ends:
            return False
        return self._clock() >= self._ends or time.monotonic() >= self._ends_at

    def _look(self) -> None:
        self._ends, self._again = 0.0, None
        try:
            self._ends = self._act()
            self._ends_at = time.monotonic() + self._ends - self._clock()
            self._pause = _FIRST_PAUSE_SECONDS
        except EnvironmentFailure:
            # Whoever acts has said why; it may hold for a moment only.
            self._try_again()
        except UsageError:
            log.exception("what a sandbox may have cannot be read")
        except Exception:
            log.exception("a look at what a sandbox may have failed")
            # What was to be taken back may still be given, and nothing else may ever wake this loop.
            self._try_again()

    def _try_again(self) -> None:
        self._again = time.monotonic() + self._pause
        self._pause = min(2 * self._pause, _LONGEST_PAUSE_SECONDS)
