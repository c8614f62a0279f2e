"""Work that nobody waits for, such as looking at thousands of projects after the start.

Projects are done one by one, with pauses as long as the work: somebody who saves a file meanwhile must not
notice."""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import Awaitable, Callable, Iterable

from sandboxd.daemon.projects import Tracked

log = logging.getLogger(__name__)

AT_ONCE = 20
"""The number done without a pause: most people have fewer projects."""

_PAUSE = 1.0
"""Seconds of rest after each second of work."""


class Backlog:
    """Projects that wait to be looked at, in the order they were added; none waits twice."""

    def __init__(self, look: Callable[[Tracked], Awaitable[None]]) -> None:
        self._look = look
        self._waiting: dict[Tracked, None] = {}
        self._added = asyncio.Event()

    def __len__(self) -> int:
        return len(self._waiting)

    def add(self, projects: Iterable[Tracked]) -> None:
        """Look at these after all others; until then what is known of them is taken as outdated."""
        for project in projects:
            if project not in self._waiting:
                project.happened()
                self._waiting[project] = None
        self._added.set()

    def take(self, project: Tracked) -> bool:
        """Take `project` out because it is looked at now; True if it was waiting."""
        return self._waiting.pop(project, self) is None

    async def run(self) -> None:
        """Look at one project after the other, until cancelled."""
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
