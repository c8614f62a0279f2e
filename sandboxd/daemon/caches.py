"""Keeps the package caches within their size limit: at most once a day, after a sandbox was started.

To tell their sizes the engine reads all its volumes, which takes up to minutes; no client waits for that.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable

from sandboxd.daemon.hosts import Hosts
from sandboxd.daemon.projects import EngineKey
from sandboxd.daemon.tasks import Tasks
from sandboxd.errors import SandboxdError
from sandboxd.life import cache_bound
from sandboxd.policy import cache_size

_QUIET_SECONDS = 30.0
"""Seconds to wait after a start: programs inside begin with their own work."""

log = logging.getLogger(__name__)


class Caches:
    """Trims the package caches of engines; at most one check is pending for each engine.

    :param is_busy: returns whether an operation runs; then the check is skipped until the next start of a sandbox
    """

    def __init__(self, hosts: Hosts, is_busy: Callable[[], bool]) -> None:
        self._hosts = hosts
        self._is_busy = is_busy
        self._tasks = Tasks("caches")
        self._waiting: set[EngineKey] = set()

    def look_soon(self, key: EngineKey, seconds: float = _QUIET_SECONDS) -> None:
        """Check the size of an engine's caches after `seconds`, unless that was done in the last day."""
        if key not in self._waiting:
            self._waiting.add(key)
            self._tasks.spawn(self._look(key, seconds))

    async def close(self) -> None:
        """Cancel pending checks."""
        await self._tasks.close()

    async def _look(self, key: EngineKey, seconds: float) -> None:
        try:
            await asyncio.sleep(seconds)
            if not self._is_busy():
                await asyncio.to_thread(self._keep_within, key)
        finally:
            self._waiting.discard(key)

    def _keep_within(self, key: EngineKey) -> None:
        environ = self._hosts.environ(key)
        try:
            engine = self._hosts.engine(key)
            if not cache_bound.is_due(engine, environ):
                return
            bound = cache_size.bound(environ)
            bounded = cache_bound.keep_within(engine, environ, bound)
        except SandboxdError as error:
            log.warning("the caches of packages were not looked at: %s", error.message)
            return
        log.info("the caches of packages take %d bytes of %d", bounded.size, bound)
        for name in bounded.removed:
            log.info(
                "removed `%s`: all caches may take %d bytes, and it was used longest ago",
                name,
                bound,
            )
