"""Reads an engine's event stream in a thread of its own, and opens it again whenever it ends."""

from __future__ import annotations

import asyncio
import contextlib
import logging
import threading
from collections.abc import Callable, Mapping

from sandboxd.engine.client import connect_from
from sandboxd.errors import SandboxdError
from sandboxd.model.engine_answers import Event

_FIRST_PAUSE = 0.5
LONGEST_PAUSE = 15.0
"""Seconds between two tries to open the stream of an engine that does not answer."""

# Each `exec`, also of a health check, has two events and changes nothing.
_OF_NO_INTEREST = ("exec_", "top", "attach", "resize", "health_status", "archive-path")

log = logging.getLogger(__name__)


class EngineEvents:
    """Calls `opened` when the stream is open and after the engine reloads its config, and `changed` for each event.

    Both are called on the event loop. `is_open` tells whether the stream is open, so that no event is missed.
    """

    def __init__(
        self,
        environ: Mapping[str, str],
        opened: Callable[[], None],
        changed: Callable[[], None],
    ) -> None:
        self._environ = environ
        self._opened = opened
        self._changed = changed
        self._loop = asyncio.get_running_loop()
        self._stop = threading.Event()
        self._again = threading.Event()
        """Set to end a pause."""
        self._longest_pause = LONGEST_PAUSE
        self.is_open = False

    def pause_at_most(self, seconds: float) -> None:
        """Let so many seconds pass at most between two tries, from now on; if that is fewer, the next one follows soon."""
        is_shorter = seconds < self._longest_pause
        self._longest_pause = seconds
        if is_shorter:
            self._again.set()

    def start(self) -> None:
        threading.Thread(target=self._run, name="engine-events", daemon=True).start()

    def stop(self) -> None:
        """Make no further calls; the thread ends with the stream or with the process."""
        self._stop.set()
        self._again.set()

    def _run(self) -> None:
        pause = _FIRST_PAUSE
        while not self._stop.is_set():
            was_open = False
            try:
                for event in connect_from(self._environ).events():
                    if self._stop.is_set():
                        return
                    if not was_open:
                        was_open, pause = True, _FIRST_PAUSE
                        self._call(self._set_open)
                    else:
                        self._take(event)
            except SandboxdError as error:
                log.debug("no events: %s", error.message)
            except Exception:
                log.exception("reading the engine's events failed")
            if was_open:
                self._call(self._set_closed)
            self._again.wait(min(pause, self._longest_pause))
            self._again.clear()
            pause = min(pause * 2, self._longest_pause)

    def _take(self, event: Event) -> None:
        action = str(event.get("Action", ""))
        if event.get("Type") == "daemon":
            self._call(self._opened)
        elif not action.startswith(_OF_NO_INTEREST):
            self._call(self._changed)

    def _set_open(self) -> None:
        self.is_open = True
        self._opened()

    def _set_closed(self) -> None:
        self.is_open = False
        self._changed()

    def _call(self, function: Callable[[], None]) -> None:
        with contextlib.suppress(RuntimeError):  # the loop is closed: the daemon ends
            self._loop.call_soon_threadsafe(self._guarded, function)

    def _guarded(self, function: Callable[[], None]) -> None:
        if not self._stop.is_set():
            function()
