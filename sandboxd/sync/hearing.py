"""When a side is looked at: what it tells is heard in a thread of its own, and all of it is looked at in time."""

from __future__ import annotations

import select
import threading
from collections.abc import Callable

from sandboxd.sync.engine import SWEEP_SECONDS

_SECONDS = 1.0
"""The longest time until `end` is noticed."""


class Hearing:
    """Calls `tell` once when there is something to read between two looks.

    :param descriptor: returns the open file descriptor that is readable then; None for none at present
    """

    def __init__(self, descriptor: Callable[[], int | None], tell: Callable[[], None]) -> None:
        self._descriptor, self._tell = descriptor, tell
        self._is_at_rest = threading.Event()
        self.is_ended = False

    def begin_look(self) -> None:
        """Note that what there is to read is being read."""
        self._is_at_rest.clear()

    def end_look(self) -> None:
        """Note that everything was read; from now on `tell` is called again."""
        self._is_at_rest.set()

    def run(self) -> None:
        """Listen until `end` is called."""
        while not self.is_ended:
            if not self._is_at_rest.wait(_SECONDS) or not self._is_readable():
                continue
            if self._is_at_rest.is_set():
                # The next look reads it.
                self._is_at_rest.clear()
                self._tell()

    def end(self) -> None:
        """Have `run` return soon; may be called from any thread."""
        self.is_ended = True

    def _is_readable(self) -> bool:
        waiting = select.poll()
        descriptor = self._descriptor()
        if descriptor is not None:
            waiting.register(descriptor, select.POLLIN)
        return bool(waiting.poll(_SECONDS * 1000))


class Sweeps:
    """Says when everything is looked at again, since of some changes no event comes, such as writes to mapped memory.

    :param clock: a monotonic clock in seconds
    """

    def __init__(self, clock: Callable[[], float]) -> None:
        self._clock = clock
        self._next = clock() + SWEEP_SECONDS

    def is_due(self) -> bool:
        """Whether the look that begins now has to be at everything; if so, it counts as the last one."""
        now = self._clock()
        if now < self._next:
            return False
        self._next = now + SWEEP_SECONDS
        return True
