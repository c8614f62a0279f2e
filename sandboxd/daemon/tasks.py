"""Background jobs on the event loop."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable, Coroutine
from typing import Any

log = logging.getLogger(__name__)


class Tasks:
    """Background tasks of one owner, whose name is logged when one fails; `close` cancels those that still run.

    :param fatal: called at most once, with the error of a task that was started by `spawn_essential`
    """

    def __init__(
        self, owner: str, fatal: Callable[[BaseException], None] = lambda _error: None
    ) -> None:
        self._owner = owner
        self._fatal = fatal
        self._running: set[asyncio.Task[None]] = set()

    def spawn(self, job: Coroutine[Any, Any, None]) -> None:
        """Run a job in the background; a failure is logged."""
        self._start(job)

    def spawn_essential(self, job: Coroutine[Any, Any, None]) -> None:
        """Run a job without which the daemon would show outdated state; a failure is logged and passed to `fatal`."""
        self._start(job).add_done_callback(self._essential_done)

    async def close(self) -> None:
        """Cancel what runs, and wait until it has ended."""
        for task in self._running:
            task.cancel()
        await asyncio.gather(*self._running, return_exceptions=True)

    def _start(self, job: Coroutine[Any, Any, None]) -> asyncio.Task[None]:
        task = asyncio.create_task(job)
        self._running.add(task)
        task.add_done_callback(self._done)
        return task

    def _done(self, task: asyncio.Task[None]) -> None:
        self._running.discard(task)
        if not task.cancelled() and task.exception() is not None:
            log.error("a task of %s failed", self._owner, exc_info=task.exception())

    def _essential_done(self, task: asyncio.Task[None]) -> None:
        error = None if task.cancelled() else task.exception()
        if error is not None:
            fatal, self._fatal = self._fatal, lambda _error: None
            fatal(error)
