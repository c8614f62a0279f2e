"""Work on projects for which no client waits, such as examining thousands of them after the daemon's start.

Projects are handled one by one, with pauses as long as the work, so that a change that somebody saves meanwhile is
handled without a noticeable delay.
"""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import Awaitable, Callable, Iterable

from sandboxd.daemon.projects import Tracked

log = logging.getLogger(__name__)

AT_ONCE = 20
"""The number of projects that are handled without a pause: most people have fewer."""

_PAUSE = 1.0
"""Seconds of rest after each second of work."""


class Backlog:
    """A queue of projects, each at most once, in the order in which they were added.

    :param look: examines one project; it must call `take`
    """

    def __init__(self, look: Callable[[Tracked], Awaitable[None]]) -> None:
        self._look = look
        self._waiting: dict[Tracked, None] = {}
        self._added = asyncio.Event()

    def __len__(self) -> int:
        return len(self._waiting)

    def add(self, projects: Iterable[Tracked]) -> None:
        """Queue projects; until their turn comes their known state counts as outdated."""
        for project in projects:
            if project not in self._waiting:
                project.happened()
                self._waiting[project] = None
        self._added.set()

    def take(self, project: Tracked) -> bool:
        """Remove `project` from the queue, since it is examined now; True if it was queued."""
        return self._waiting.pop(project, self) is None

    async def run(self) -> None:
        """Examine the queued projects one after the other, until cancelled."""
        count = 0
        while True:
            while not self._waiting:
                self._added.clear()
                await self._added.wait()
                count = 0
            project = next(iter(self._waiting))
            begin = time.monotonic()
            try:
                await self._look(project)
            except Exception:
                log.exception("looking at `%s` failed", project.path)
                self._waiting.pop(project, None)
            count += 1
            if count > AT_ONCE:
                await asyncio.sleep(min((time.monotonic() - begin) * _PAUSE, 1.0))
