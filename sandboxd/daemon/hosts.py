"""Facts about each engine that a client names, and the host behind it, kept up to date by the engine's own events.

While its stream of events is open, an answer is valid until an event says otherwise; without the stream the
engine is asked each time. Engine calls run in threads with timeouts, so that one that hangs does not stop the daemon.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
import time
from collections.abc import Callable, Collection, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from typing import NamedTuple

from sandboxd.daemon.engine_events import LONGEST_PAUSE, EngineEvents
from sandboxd.daemon.projects import EngineKey
from sandboxd.engine import client, connection
from sandboxd.engine.contexts import Identity, resolve
from sandboxd.host.facts import HostFacts
from sandboxd.host.probe import probe
from sandboxd.ipc.dial import default_config
from sandboxd.status.observe import NOT_ASKED, Observed, Observer, Run

WAIT_SECONDS = 1.0
"""Seconds that a caller waits for a new answer before it gets the last known one."""

_ABSENT_SECONDS = 2.0
"""Seconds that "there is no engine" is believed."""

_PROBE_SECONDS = 300.0
"""Seconds that the host's facts are believed: nobody announces a new kernel or a new binary."""

_LONGEST_ANSWER = 60.0

_PUT_OFF_SECONDS = 1.0
"""Seconds that an operation keeps looks away that nobody waits for."""

_AFTER_SECONDS = 0.02
"""The operation's own answer goes first."""

log = logging.getLogger(__name__)


class World(NamedTuple):
    """The last known facts about one engine's host, and its containers."""

    facts: HostFacts | None = None
    """None where they were never read."""
    observed: Observed = NOT_ASKED
    at: float = 0.0
    """When they were read, in seconds of the monotonic clock; 0 for never."""


class Hosts:
    """The facts of this machine and of each engine that a client named, by `EngineKey`."""

    def __init__(
        self,
        environ: Mapping[str, str],
        workspaces: Callable[[], Collection[str]],
        host_changed: Callable[[EngineKey], None],
        sandbox_changed: Callable[[EngineKey, str, Observed], None],
        runs_changed: Callable[[EngineKey, Collection[Run]], None] = lambda _key, _runs: None,
    ) -> None:
        """
        :param workspaces: returns the projects whose sandboxes are of interest
        :param host_changed: called when an engine or its runtimes changed
        :param sandbox_changed: called with the engine, the identity of each sandbox on it that changed, and the
            containers as seen
        :param runs_changed: called with all running sandboxes of an engine that answers, also of unknown projects
        """
        self._environ = environ
        self._workspaces = workspaces
        self._host_changed = host_changed
        self._sandbox_changed = sandbox_changed
        self._runs_changed = runs_changed
        self._engines: dict[EngineKey, _Engine] = {}
        self._connected: dict[Identity, client.Engine] = {}
        self._threads = ThreadPoolExecutor(4, thread_name_prefix="engine")
        self._threads.submit(connection.load)

    def known(self, key: EngineKey) -> World:
        """The last known facts, without asking the engine."""
        engine = self._engines.get(key)
        return engine.world if engine is not None else World()

    def key(self, variables: Mapping[str, str]) -> EngineKey:
        """The engine that a client's variables lead to; equal for all clients that mean the same engine."""
        key = EngineKey.of(variables)
        if key.config == default_config(self._environ):
            # The key is that of callers and projects that name no config.
            key = key._replace(config=None)
        if resolve(key.environ(self._environ)).host.startswith("ssh:"):
            return key
        # Every login has an agent of its own, which matters to ssh alone.
        return key._replace(agent=None)

    def address(self, key: EngineKey) -> str:
        """The address that an engine has now, equal for all keys that name it; may be called from any thread."""
        return resolve(self.environ(key)).address

    def follow(self, key: EngineKey, longest_pause: float = 0.0) -> None:
        """Follow an engine from now on.

        :param longest_pause: the most seconds between two tries to reach it, until a client names it; 0 if one has
        """
        if key not in self._engines:
            engine = self._engine(key)
            engine.is_named = not longest_pause
            engine.events.pause_at_most(longest_pause or LONGEST_PAUSE)

    def unnamed(self) -> tuple[EngineKey, ...]:
        """The engines that `follow` began with, and that no client has named since."""
        return tuple(key for key, engine in self._engines.items() if not engine.is_named)

    def drop(self, key: EngineKey) -> None:
        """Follow an engine of `unnamed` no longer."""
        self._engines.pop(key).end()

    def environ(self, key: EngineKey) -> dict[str, str]:
        """The daemon's environment with the variables that select this engine."""
        return key.environ(self._environ)

    def engine(self, key: EngineKey) -> client.Engine:
        """A client for the engine, which keeps its connections for later calls; may be called from any thread.

        :raises EnvironmentFailure: its address is of a kind that cannot be used from here
        """
        # Resolved on each call, since a docker context may have been edited.
        identity = resolve(self.environ(key))
        if identity not in self._connected:
            self._connected[identity] = client.connect(identity)
        return self._connected[identity]

    async def fresh(self, key: EngineKey, wait: float = WAIT_SECONDS) -> World:
        """The present facts if they can be read within `wait` seconds, else the last known ones."""
        return await self._fresh(key, self._engine(key), wait)

    async def _fresh(self, key: EngineKey, engine: _Engine, wait: float) -> World:
        deadline = time.monotonic() + wait
        while engine.is_stale() and (remaining := deadline - time.monotonic()) > 0:
            asking = self._asking(key, engine)
            await asyncio.wait({asking}, timeout=remaining)
            if asking.done() and (asking.cancelled() or not asking.result()):
                break
        return engine.world

    async def runs_sandbox(self) -> bool:
        """Whether any engine runs a sandbox, or did when it last answered; those with facts of before are asked."""
        for key, engine in list(self._engines.items()):
            await self._fresh(key, engine, WAIT_SECONDS)
            if engine.ran:
                return True
        return False

    async def facts(self, key: EngineKey, wait: float) -> HostFacts | None:
        """The present facts of a host; None when they cannot be had within `wait` seconds or may be outdated."""
        engine = self._engine(key)
        if engine.believed() is None:
            await asyncio.wait({self._asking(key, engine)}, timeout=wait)
        if engine.trying is not None and not engine.trying.done():
            # A plan of before would be another one a moment later; who asks tries them, too.
            return None
        return engine.believed()

    @contextlib.contextmanager
    def operated(self, key: EngineKey) -> Iterator[None]:
        """While the block runs, delay the questions to the engine that events of the block's own operation would
        cause.

        Each takes processor time that the starting container needs. Other requests are answered as usual.
        """
        engine = self._engine(key)
        engine.operations += 1
        try:
            yield
        finally:
            engine.operations -= 1
            if engine.put_off is not None and not engine.operations:
                engine.put_off.cancel()
                engine.put_off = self._later(key, engine, _AFTER_SECONDS)

    def is_current(self, key: EngineKey) -> bool:
        """Whether the known facts are up to date: the event stream is open, and no event came since they were read."""
        engine = self._engines.get(key)
        return engine is not None and engine.events.is_open and not engine.is_stale()

    def ask_all_again(self) -> None:
        """Mark the facts about all engines as outdated: a newly registered project may run on any of them."""
        for engine in self._engines.values():
            engine.changed()

    def ask_again(self, key: EngineKey) -> None:
        """Mark the facts as outdated, for a change that no engine event reports, such as a gateway that runs again."""
        engine = self._engines.get(key)
        if engine is not None:
            engine.changed()

    async def close(self) -> None:
        for engine in self._engines.values():
            engine.end()
        self._threads.shutdown(wait=False, cancel_futures=True)

    def _engine(self, key: EngineKey) -> _Engine:
        """The engine that a client means, which is followed from now on."""
        engine = self._engines.get(key)
        if engine is None:
            engine = _Engine(self.environ(key), lambda: self._ask_soon(key))
            self._engines[key] = engine
        elif not engine.is_named:
            engine.is_named = True
            engine.events.pause_at_most(LONGEST_PAUSE)
        return engine

    def _ask_soon(self, key: EngineKey) -> None:
        engine = self._engines[key]
        if not engine.operations:
            self._asking(key, engine)
        elif engine.put_off is None:
            engine.put_off = self._later(key, engine, _PUT_OFF_SECONDS)

    def _later(self, key: EngineKey, engine: _Engine, seconds: float) -> asyncio.TimerHandle:
        def ask() -> None:
            engine.put_off = None
            self._asking(key, engine)

        return asyncio.get_running_loop().call_later(seconds, ask)

    def _asking(self, key: EngineKey, engine: _Engine) -> asyncio.Task[bool]:
        if engine.task is None or engine.task.done():
            engine.task = asyncio.create_task(self._ask(key, engine))
        return engine.task

    async def _ask(self, key: EngineKey, engine: _Engine) -> bool:
        """Ask until no event came while asking; False when there was no answer."""
        loop = asyncio.get_running_loop()
        while True:
            count = engine.happened
            look = engine.question(frozenset(self._workspaces()))
            try:
                async with asyncio.timeout(_LONGEST_ANSWER):
                    answer = await loop.run_in_executor(self._threads, look)
            except TimeoutError:
                log.warning("the engine `%s` did not answer in time", key.host or "default")
                return False
            except Exception:
                log.exception("asking the engine failed")
                return False
            before = engine.world
            engine.take(answer, count)
            self._tell(key, before, engine.world)
            if answer.facts.has_untried_build and engine.may_try():
                engine.trying = asyncio.create_task(self._try_builds(engine))
            if engine.happened == count:
                return True

    async def _try_builds(self, engine: _Engine) -> None:
        """Try what a new build of gVisor holds, in the background, and have the facts read again."""
        loop = asyncio.get_running_loop()
        environ = engine.environ
        try:
            await loop.run_in_executor(self._threads, lambda: probe(environ, trial=True))
        except Exception:
            log.exception("trying a build of gVisor failed")
            return
        engine.probe_again()

    def _tell(self, key: EngineKey, before: World, now: World) -> None:
        if before.facts is not None and before.facts != now.facts:
            self._host_changed(key)
        # Where an engine does not answer, the containers of before may run.
        is_known = not before.observed.problem and before.observed.runs == now.observed.runs
        if not now.observed.problem and not is_known:
            self._runs_changed(key, now.observed.runs)
        for sandbox in before.observed.containers.keys() | now.observed.containers.keys():
            old = before.observed.containers.get(sandbox)
            if old != now.observed.containers.get(sandbox):
                self._sandbox_changed(key, sandbox, now.observed)


class _Answer(NamedTuple):
    """The engine's answer to one question.

    `probed` is when the probe began (monotonic), None without one or without an engine that answered it.
    """

    facts: HostFacts
    observed: Observed
    probed: float | None
    openings: int
    """The number of times that the stream of events had been opened when the question was asked."""


class _Engine:
    """One engine: what is known of it, and what happened since."""

    def __init__(self, environ: dict[str, str], ask_soon: Callable[[], None]) -> None:
        self.environ = environ
        self._ask_soon = ask_soon
        self._observer = Observer(everywhere=True)
        self._probed = -_PROBE_SECONDS
        """The start of the probe whose facts are believed (monotonic); an old time makes a new one due."""
        self._openings = 0
        self._answered = -1
        self.world = World()
        self.ran = False  # Whether it ran a sandbox when it last answered.
        self.happened = 0
        """Counts what happened; an answer is true while the count stays."""
        self.task: asyncio.Task[bool] | None = None
        self.is_named = True
        """Whether a client named it."""
        self.operations = 0
        """The number of running operations that change its containers."""
        self.put_off: asyncio.TimerHandle | None = None
        """The look that waits for them."""
        self.trying: asyncio.Task[None] | None = None
        """The last trial of a build of gVisor that was not known."""
        self._tried = -_PROBE_SECONDS
        self.events = EngineEvents(environ, self._opened, self.changed)
        self.events.start()

    def end(self) -> None:
        """End all that is done for it."""
        self.events.stop()
        for task in (self.task, self.trying, self.put_off):
            if task is not None:
                task.cancel()

    def is_stale(self) -> bool:
        if self.world.facts is None or self._answered != self.happened:
            return True
        age = time.monotonic() - self.world.at
        # No event tells that an engine answers again.
        if _is_absent(self.world.facts) or self.world.observed.problem:
            return age > _ABSENT_SECONDS
        return age > _PROBE_SECONDS if self.events.is_open else True

    def believed(self) -> HostFacts | None:
        """The host's facts if they are known to be up to date, by the event stream; else None."""
        is_due = time.monotonic() - self._probed > _PROBE_SECONDS or not self.events.is_open
        return None if is_due else self.world.facts

    def changed(self) -> None:
        """Note that a container changed."""
        self.happened += 1
        self._ask_soon()

    def may_try(self) -> bool:
        """Whether builds of gVisor may be tried now; a trial that cannot be remembered is not repeated often."""
        if time.monotonic() - self._tried < _PROBE_SECONDS:
            return False
        self._tried = time.monotonic()
        return True

    def probe_again(self) -> None:
        """Have the host's facts read again, not only the containers."""
        self._probed = -_PROBE_SECONDS
        self.changed()

    def _opened(self) -> None:
        """The engine is there (again), or was set up anew: it may be another one."""
        self._openings += 1
        self.probe_again()

    def question(self, workspaces: Collection[str]) -> Callable[[], _Answer]:
        """The function that asks the engine, to be run in a thread; it reads the host's facts only if they may have
        changed.
        """
        believed = self.believed()
        environ, observer, openings = self.environ, self._observer, self._openings

        def look() -> _Answer:
            began = time.monotonic()
            facts = believed or probe(environ, trial=True, premises="remembered")
            engine = facts.engine
            if engine is not None and engine.error:
                return _Answer(facts, Observed({}, engine.error, engine.hint), None, openings)
            observed = observer.observe(environ, workspaces)
            return _Answer(facts, observed, began if believed is None else None, openings)

        return look

    def take(self, answer: _Answer, count: int) -> None:
        """Store an answer as what is known.

        :param count: `happened` when the question was asked
        """
        self.world = World(answer.facts, answer.observed, time.monotonic())
        if not answer.observed.problem:
            self.ran = answer.observed.has_running()
        self._answered = count
        # Not if the events were reopened meanwhile: the facts may be those of an earlier engine.
        if answer.probed is not None and answer.openings == self._openings:
            self._probed = answer.probed


def _is_absent(facts: HostFacts) -> bool:
    return facts.engine is not None and bool(facts.engine.error)
