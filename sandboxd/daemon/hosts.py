"""What is known of each engine that a caller names, asked again when it has grown old.

Engine calls run in threads of their own, with timeouts: a hanging engine costs its answer, not
the daemon.
"""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import Callable, Collection, Mapping
from concurrent.futures import ThreadPoolExecutor
from typing import NamedTuple

from sandboxd.daemon.projects import EngineKey
from sandboxd.host.facts import HostFacts
from sandboxd.status.observe import NOT_ASKED, Observed, Observer

FRESH_SECONDS = 2.0
"""An answer younger than this is given again without asking the engine."""

WAIT_SECONDS = 1.0
"""How long a caller waits for a new answer before it gets the old one, with its age."""

_PROBE_SECONDS = 30.0

log = logging.getLogger(__name__)


class World(NamedTuple):
    """One engine's host as last seen; `at` is monotonic."""

    facts: HostFacts | None = None
    observed: Observed = NOT_ASKED
    at: float = 0.0


class Hosts:
    """The worlds of all callers."""

    def __init__(
        self,
        environ: Mapping[str, str],
        workspaces: Callable[[], Collection[str]],
        changed: Callable[[EngineKey], None],
    ) -> None:
        self._environ = environ
        self._workspaces = workspaces
        self._changed = changed
        self._observers: dict[EngineKey, Observer] = {}
        self._worlds: dict[EngineKey, World] = {}
        self._asking: dict[EngineKey, asyncio.Task[None]] = {}
        self._threads = ThreadPoolExecutor(4, thread_name_prefix="engine")

    def known(self, key: EngineKey) -> World:
        """What is known now, without asking."""
        return self._worlds.get(key, World())

    def environ(self, key: EngineKey) -> dict[str, str]:
        return key.environ(self._environ)

    async def fresh(self, key: EngineKey, wait: float = WAIT_SECONDS) -> World:
        """A new answer if it comes within `wait` seconds, else the old one."""
        world = self.known(key)
        if world.facts is not None and time.monotonic() - world.at < FRESH_SECONDS:
            return world
        task = self._asking.get(key)
        if task is None:
            task = asyncio.create_task(self._ask(key))
            self._asking[key] = task
        await asyncio.wait({task}, timeout=wait)
        return self.known(key)

    def forget_age(self, key: EngineKey) -> None:
        """Ask again at the next occasion: something has surely changed."""
        world = self._worlds.get(key)
        if world is not None:
            self._worlds[key] = world._replace(at=-FRESH_SECONDS)

    async def close(self) -> None:
        for task in self._asking.values():
            task.cancel()
        self._threads.shutdown(wait=False, cancel_futures=True)

    async def _ask(self, key: EngineKey) -> None:
        loop = asyncio.get_running_loop()
        environ, workspaces = self.environ(key), frozenset(self._workspaces())
        observer = self._observers.setdefault(key, Observer())
        try:
            async with asyncio.timeout(_PROBE_SECONDS):
                facts, observed = await loop.run_in_executor(
                    self._threads, _look, environ, workspaces, observer
                )
        except TimeoutError:
            log.warning("the engine `%s` did not answer in time", key.host or "default")
            return
        except Exception:
            log.exception("asking the engine failed")
            return
        finally:
            self._asking.pop(key, None)
        before = self.known(key).facts
        self._worlds[key] = World(facts, observed, time.monotonic())
        if before is not None and before != facts:
            self._changed(key)


def _look(
    environ: dict[str, str], workspaces: Collection[str], observer: Observer
) -> tuple[HostFacts, Observed]:
    from sandboxd.host.probe import probe

    facts = probe(environ, trial=True)
    if facts.engine is not None and facts.engine.error:
        return facts, Observed({}, facts.engine.error, facts.engine.hint)
    return facts, observer.observe(environ, workspaces)
