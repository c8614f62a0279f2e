"""Exchanges commits between the host's repository and the git directory of each running sandbox when either changes.

The folders of both are watched by the daemon's one watcher, so that an idle sandbox costs nothing. Changes that come
within a moment lead to one exchange, and a sandbox has at most one exchange at a time.
"""

from __future__ import annotations

import asyncio
import concurrent.futures
import contextlib
import logging
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING

from sandboxd.errors import SandboxdError
from sandboxd.exchange import of_container, trace

if TYPE_CHECKING:
    from sandboxd.daemon.hosts import Hosts
    from sandboxd.daemon.places import Place
    from sandboxd.daemon.projects import EngineKey
    from sandboxd.daemon.watching import Watching
    from sandboxd.exchange.of_container import OfContainer
    from sandboxd.exchange.run import Outcome
    from sandboxd.status.observe import Sandbox

GATHER_SECONDS = 0.1
"""Seconds from a change to the exchange: git writes several files for one command."""
_MOST_AT_ONCE = 4
_RETRY_SECONDS = 30.0
"""Seconds until one that failed is tried again though nothing changed."""
_LONGEST_PAUSE = 30.0
"""The most seconds between the end of one and the next: as long as it took, up to so many."""
_POLL_SECONDS = 1.0
"""Seconds between two looks at folders of which the system gives no events."""

log = logging.getLogger(__name__)


class Exchanges:
    """The exchanges of all running sandboxes. To be used on the event loop, except for `settle`."""

    def __init__(self, hosts: Hosts, watching: Watching) -> None:
        self._hosts = hosts
        self._watching = watching
        self._attended: dict[Place, _Attended] = {}
        self._threads = ThreadPoolExecutor(_MOST_AT_ONCE, thread_name_prefix="exchange")

    def update(self, place: Place, key: EngineKey, sandbox: Sandbox | None) -> None:
        """Begin or end exchanges with a sandbox: they run while it runs and has a git directory of its own.

        :param key: by which the engine of `place` is reached
        :param sandbox: its present state; None where it is gone
        """
        own = self._own_git(place.sandbox, key, sandbox)
        present = self._attended.get(place)
        if own is not None and sandbox is not None:
            if present is not None and present.matches(key, sandbox.id, own):
                present.changed(set())
                return
            self._end(place)
            self._attended[place] = _Attended(self, key, sandbox.id, own)
        else:
            self._end(place)

    def _own_git(
        self, identity: str, key: EngineKey, sandbox: Sandbox | None
    ) -> OfContainer | None:
        if sandbox is None or sandbox.container is None or not sandbox.running or sandbox.paused:
            return None
        mounts = [
            of_container.Bound(
                mount.value.source, mount.value.target, mount.value.read_only, mount.value.type
            )
            for mount in sandbox.container.mounts
        ]
        return of_container.own_git(self._hosts.environ(key), identity, mounts)

    def settle(self, place: Place, seconds: float) -> None:
        """Wait for the commits that either side of a sandbox has at present to pass, from any other thread.

        It ends after `seconds` at most, and at once where nothing changed since the last exchange.
        """
        attended = self._attended.get(place)
        if attended is not None and attended.is_behind():
            with contextlib.suppress(TimeoutError, concurrent.futures.CancelledError):
                attended.wait(seconds)

    def forget(self, workspace: str) -> None:
        """End exchanges with all sandboxes of a project."""
        for place in [each for each in self._attended if each.workspace == workspace]:
            self._end(place)

    def close(self) -> None:
        """End all exchanges; one that is running is completed."""
        for place in list(self._attended):
            self._end(place)
        self._threads.shutdown(wait=False, cancel_futures=True)

    def _end(self, place: Place) -> None:
        attended = self._attended.pop(place, None)
        if attended is not None:
            attended.end()

    def watch(self, attended: _Attended, folders: frozenset[str]) -> None:
        """Notify `attended` of changes in `folders` from now on; with no folders, stop notifying it."""
        self._watching.watch_also(attended, folders, attended.changed)

    def hears(self, folders: frozenset[str]) -> bool:
        """Whether the system reports changes in all of `folders` as events."""
        watcher = self._watching.watcher
        return not watcher.problem and watcher.deaf.isdisjoint(folders)

    async def run(
        self, key: EngineKey, container: str, own: OfContainer, before: trace.Trace
    ) -> tuple[trace.Trace, frozenset[str], Outcome | None]:
        """Exchange in a thread, unless nothing changed since the trace `before`.

        :returns: the trace from before this exchange, the folders to watch, and the outcome, None where nothing was
            done
        """
        loop = asyncio.get_running_loop()
        return await loop.run_in_executor(
            self._threads, self._exchange, key, container, own, before
        )

    def _exchange(
        self, key: EngineKey, container: str, own: OfContainer, before: trace.Trace
    ) -> tuple[trace.Trace, frozenset[str], Outcome | None]:
        now = trace.trace(own.repository, own.place)
        outcome = None
        if now != before:
            try:
                engine = self._hosts.engine(key)
                outcome = of_container.exchange_with(
                    engine, self._hosts.environ(key), container, own
                )
            except SandboxdError as error:
                log.warning("no exchange with `%s`: %s", own.sandbox, error.message)
        # The trace of before: what others write meanwhile is seen by the next one, as what this one wrote is.
        return now, trace.folders(own.repository, own.place), outcome

    def report(self, own: OfContainer, outcome: Outcome) -> None:
        """Log what was exchanged, and why something was not."""
        if outcome.problem is not None or outcome.why:
            log.warning("exchange with `%s`: %s", own.sandbox, outcome.why)
        if outcome.over:
            log.warning("exchange with `%s`: %d new refs were not taken", own.sandbox, outcome.over)
        if outcome.moved or outcome.waiting:
            text = f"{len(outcome.brought)} refs came from the sandbox, {len(outcome.given)} went"
            log.info("exchange with `%s`: %s", own.sandbox, text)


class _Attended:
    """One sandbox: it is looked at when something changed, once at a time."""

    def __init__(
        self, exchanges: Exchanges, key: EngineKey, container: str, own: OfContainer
    ) -> None:
        self._exchanges = exchanges
        self._key = key
        self._container = container
        self._own = own
        self._trace: trace.Trace = frozenset()
        self._folders: frozenset[str] = frozenset()
        self._changed = asyncio.Event()
        self._waiters: list[asyncio.Future[None]] = []
        self._loop = asyncio.get_running_loop()
        self._task = self._loop.create_task(self._run())
        self._changed.set()

    def matches(self, key: EngineKey, container: str, own: OfContainer) -> bool:
        """Whether it exchanges with this container, reached in this way, and this git directory."""
        present = (self._key, self._container, self._own)
        return (key, container, own) == present and not self._task.done()

    def changed(self, _paths: set[str]) -> None:
        """Have an exchange run soon, since something in a watched folder changed."""
        self._changed.set()

    def is_behind(self) -> bool:
        """Whether either side changed since the last exchange; from any thread."""
        return trace.trace(self._own.repository, self._own.place) != self._trace

    def wait(self, seconds: float) -> None:
        """Wait for the end of an exchange that begins from now on, or of all of them; from any other thread.

        :raises TimeoutError: there is none within `seconds`
        """
        asyncio.run_coroutine_threadsafe(self._exchanged(), self._loop).result(seconds)

    async def _exchanged(self) -> None:
        waiter = self._loop.create_future()
        self._waiters.append(waiter)
        self._changed.set()
        await waiter

    def end(self) -> None:
        """Begin no further exchange."""
        self._task.cancel()
        _release(self._waiters)
        self._exchanges.watch(self, frozenset())

    async def _run(self) -> None:
        loop = asyncio.get_running_loop()
        earliest = 0.0
        while True:
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(self._longest_wait()):
                    await self._changed.wait()
            # One that takes long is not begun at once again: a sandbox must not keep a processor busy.
            await asyncio.sleep(max(GATHER_SECONDS, earliest - loop.time()))
            self._changed.clear()
            waiters, self._waiters = self._waiters, []
            began = loop.time()
            try:
                await self._once()
            except Exception:
                log.exception("the exchange with `%s` failed", self._own.sandbox)
            finally:
                _release(waiters)
            ended = loop.time()
            earliest = ended + min(ended - began, _LONGEST_PAUSE)

    def _longest_wait(self) -> float | None:
        if not self._trace:
            return _RETRY_SECONDS
        return None if self._exchanges.hears(self._folders) else _POLL_SECONDS

    async def _once(self) -> None:
        exchanges = self._exchanges
        result = await exchanges.run(self._key, self._container, self._own, self._trace)
        self._trace, folders, outcome = result
        if folders != self._folders:
            self._folders = folders
            exchanges.watch(self, folders)
        if outcome is not None:
            exchanges.report(self._own, outcome)
            if outcome.problem is not None:
                self._trace = frozenset()


def _release(waiters: list[asyncio.Future[None]]) -> None:
    for waiter in waiters:
        if not waiter.done():
            waiter.set_result(None)
