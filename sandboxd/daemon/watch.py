"""Watching folders for changes: events where the kernel gives them, else a look every second.

Only folders are watched, never files: editors replace a file by renaming another over it, which
ends a watch on the file itself. Nothing is watched recursively: a filter would run only after
the kernel has been asked to watch all of node_modules.
"""

from __future__ import annotations

import asyncio
import logging
import sys
import time
from collections.abc import Callable
from typing import Protocol

SWEEP_SECONDS = 30.0
"""How often files are looked at though no event came: the kernel's queue drops silently."""

POLL_SECONDS = 1.0
"""The same when the kernel gives no events at all."""

_RETRY_SECONDS = 60.0

OnChange = Callable[[set[str], float], None]
"""Called on the event loop with the paths that changed and the monotonic time of the event."""

log = logging.getLogger(__name__)


class Events(Protocol):
    """A source of events."""

    async def follow(self, folders: frozenset[str]) -> None: ...

    def drain(self) -> None: ...

    async def close(self) -> None: ...


class Watcher:
    """Tells of changes directly in a set of folders, which may be replaced at any time."""

    def __init__(self, on_change: OnChange) -> None:
        self._on_change = on_change
        self._wanted: frozenset[str] = frozenset()
        self._events: Events | None = None
        self._changing = asyncio.Lock()
        self._failed_at = 0.0
        self.problem = ""
        """Why there are no events, '' while there are."""

    @property
    def interval(self) -> float:
        """Seconds between two sweeps."""
        return POLL_SECONDS if self.problem else SWEEP_SECONDS

    @property
    def folders(self) -> frozenset[str]:
        return self._wanted

    def drain(self) -> None:
        """Tell at once of all that happened before this moment, as far as the system knows."""
        if self._events is not None:
            self._events.drain()

    async def watch(self, folders: frozenset[str]) -> bool:
        """Watch exactly `folders`; True when the set changed, so that files be looked at again."""
        async with self._changing:
            due = self.problem and time.monotonic() - self._failed_at > _RETRY_SECONDS
            if folders == self._wanted and self.problem and not due:
                return False
            is_new = folders != self._wanted or bool(due)
            self._wanted = folders
            try:
                if self._events is None:
                    self._events = open_events(self._on_change)
                # Also when the set is the same: a folder may have gone and come back.
                if is_new or not self.problem:
                    await self._events.follow(folders)
            except OSError as error:
                self._fail(error.strerror or str(error))
                await self._end()
                return is_new
            self.problem = ""
            return is_new

    async def close(self) -> None:
        async with self._changing:
            await self._end()

    async def _end(self) -> None:
        if self._events is not None:
            await self._events.close()
            self._events = None

    def _fail(self, reason: str) -> None:
        self._failed_at = time.monotonic()
        self.problem = f"no file events ({reason.lower()}), so files are looked at again and again"
        log.warning("%s", self.problem)


def open_events(on_change: OnChange) -> Events:
    """The cheapest source of events that this system has.

    :raises OSError: the kernel gives none
    """
    if sys.platform == "linux":
        from sandboxd.daemon.inotify import Inotify

        return Inotify(on_change)
    from sandboxd.daemon.rounds import Rounds

    return Rounds(on_change)
