"""Work that nobody waits for, such as looking at thousands of projects after the start.

It is done one by one and mostly not: whoever saves a file meanwhile must not notice.
"""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import Awaitable, Callable, Iterable

from sandboxd.daemon.projects import Tracked

log = logging.getLogger(__name__)

AT_ONCE = 20
"""So many are done without a pause: most people have fewer projects."""

_PAUSE = 1.0
"""Of each moment of work so many moments of rest follow."""


class Backlog:
    """Projects to look at, the last added last; none is in it twice."""

    def __init__(self, look: Callable[[Tracked], Awaitable[None]]) -> None:
        self._look = look
        self._waiting: dict[Tracked, None] = {}
        self._added = asyncio.Event()

    def __len__(self) -> int:
        return len(self._waiting)

    def add(self, projects: Iterable[Tracked]) -> None:
        """What is known of these is not believed until they were looked at."""
        for project in projects:
            if project not in self._waiting:
                project.happened()
                self._waiting[project] = None
        self._added.set()

    def take(self, project: Tracked) -> bool:
        """Somebody else looks at it now; whether it was to be looked at."""
        return self._waiting.pop(project, self) is None

    async def run(self) -> None:
        """Work it off, for ever."""
        done = 0
        while True:
            while not self._waiting:
                self._added.clear()
                await self._added.wait()
                done = 0
            project = next(iter(self._waiting))
            begin = time.monotonic()
            try:
                await self._look(project)
            except Exception:
                log.exception("looking at `%s` failed", project.path)
                self._waiting.pop(project, None)
            done += 1
            if done > AT_ONCE:
                await asyncio.sleep(min((time.monotonic() - begin) * _PAUSE, 1.0))
