"""Keeping projects generated: notices changes, has the files written, tells who listens."""

from __future__ import annotations

import asyncio
import logging
import os
import sys
import time
from collections.abc import Callable, Collection, Coroutine, Mapping
from concurrent.futures import ThreadPoolExecutor
from typing import Any, TypeVar

from sandboxd import config
from sandboxd.daemon import projects, work
from sandboxd.daemon.hosts import Hosts, World
from sandboxd.daemon.networked import networked, read_mounts
from sandboxd.daemon.projects import EngineKey, Tracked
from sandboxd.daemon.relay import Relays
from sandboxd.daemon.scan import Scan, scan
from sandboxd.daemon.watch import Watcher
from sandboxd.ipc import messages
from sandboxd.status.combine import Examined
from sandboxd.status.examine import examine
from sandboxd.status.observe import Observed, Seen

FIRST_FACTS_SECONDS = 20.0
"""How long the first generation waits for the host to be known: the plan depends on it."""

NETWORKED_SECONDS = 2.0
"""How often projects on a file system of the network are looked at."""

_REWATCH_SECONDS = 0.05
_MOST_VISITED = 100
_LONGEST_SAVE = 10.0

T = TypeVar("T")

log = logging.getLogger(__name__)


class Keeper:
    """All registered projects. Lives on the event loop; files are touched in threads."""

    def __init__(
        self,
        environ: Mapping[str, str],
        emit: Callable[[messages.Event], None],
        host_changed: Callable[[EngineKey], None] | None = None,
    ) -> None:
        self._tell_host_changed = host_changed
        self._others: dict[object, tuple[frozenset[str], Callable[[set[str]], None]]] = {}
        self._is_closed = False
        self._remote: set[str] = set()
        self._is_polling = False
        self._store = projects.store_path(environ)
        self._emit = emit
        self._threads = ThreadPoolExecutor(2, thread_name_prefix="project")
        self._tasks: set[asyncio.Task[None]] = set()
        self._rewatch: asyncio.TimerHandle | None = None
        self.projects: dict[str, Tracked] = {}
        self._visited: set[str] = set()
        self.hosts = Hosts(
            environ,
            lambda: {*self.projects, *self._visited},
            self._host_changed,
            self._sandbox_changed,
        )
        self.watcher = Watcher(self._on_change)
        self.relays = Relays()
        self.active_at = time.monotonic()
        """When something last happened to a project (monotonic)."""

    async def start(self) -> None:
        """Take up the remembered projects and begin to watch them."""
        for path, engine in projects.load(self._store):
            self.projects[path] = Tracked(path, engine)
        self._spawn(self._sweep_for_ever())
        self._spawn(self._at_start())

    async def close(self) -> None:
        """Write and watch nothing any more."""
        if self._is_closed:
            return
        self._is_closed = True
        if self._rewatch is not None:
            self._rewatch.cancel()
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        self.relays.close()
        await self.watcher.close()
        await self.hosts.close()
        self._threads.shutdown(wait=True, cancel_futures=True)

    async def register(self, path: str, engine: EngineKey) -> None:
        """Keep the project at `path` generated from now on; returns when that was done once."""
        if self._is_closed:
            return
        project = self.projects.get(path)
        if project is None or project.engine != engine:
            project = Tracked(path, engine)
            self.projects[path] = project
            projects.save(self._store, self.projects)
            self.hosts.ask_again(engine)
        self._schedule_rewatch()
        await self._look(project, time.monotonic(), force=True)

    def watch_also(
        self, owner: object, folders: frozenset[str], changed: Callable[[set[str]], None]
    ) -> None:
        """Watch `folders` for somebody else, who is told of the paths that changed there."""
        before = self._others.pop(owner, None)
        if folders:
            self._others[owner] = (folders, changed)
        if not self._is_closed and (before is not None or folders):
            self._schedule_rewatch()

    def forget(self, path: str) -> bool:
        """Stop keeping a project; its files stay as they are."""
        if self.projects.pop(path, None) is None:
            return False
        projects.save(self._store, self.projects)
        self._schedule_rewatch()
        return True

    async def find(self, cwd: str) -> str | None:
        """The workspace that `cwd` is in: the folder of the nearest sandboxd.toml."""
        found = await self._in_thread(config.nearest, cwd)
        return os.path.realpath(os.path.dirname(found)) if found is not None else None

    def visit(self, path: str, engine: EngineKey) -> None:
        """Look at the sandbox of a project that somebody asks about but that is not kept."""
        if path not in self._visited:
            if len(self._visited) >= _MOST_VISITED:
                self._visited.clear()
            self._visited.add(path)
            self.hosts.ask_again(engine)

    async def examine(self, path: str, engine: EngineKey, world: World) -> Examined:
        """What a project comes to; nothing is written."""
        if world.facts is None:
            return Examined()
        return await self._in_thread(examine, path, self.hosts.environ(engine), world.facts)

    def _on_change(self, paths: set[str], seen: float) -> None:
        """Look at the projects one of whose folders was touched."""
        self.active_at = seen
        touched = paths | {os.path.dirname(path) for path in paths}
        for folders, changed in list(self._others.values()):
            if not touched.isdisjoint(folders):
                changed(paths)
        for project in self.projects.values():
            if not touched.isdisjoint(project.scan.folders):
                self._spawn(self._look(project, seen))

    def _host_changed(self, key: EngineKey) -> None:
        """A runtime came or went: plans may come out differently."""
        self._emit({"kind": "host", "message": "the engine or its runtimes are not what they were"})
        if self._tell_host_changed is not None:
            self._tell_host_changed(key)
        for project in self.projects.values():
            if project.engine == key and project.examined is not None:
                self._spawn(self._look(project, time.monotonic(), force=True))

    def _sandbox_changed(self, path: str, observed: Observed) -> None:
        seen = observed.containers.get(path)
        if observed.problem:
            text = f"its sandbox cannot be seen: {observed.problem}"
        elif seen is None:
            text = "its sandbox is gone"
        else:
            text = "its sandbox is running" if seen.running else "its sandbox is stopped"
        self._emit({"kind": "sandbox", "path": path, "message": text})
        self._relay(path, seen)

    def _relay(self, path: str, seen: Seen | None) -> None:
        """Under gVisor watchers inside hear nothing of edits made on the host."""
        project = self.projects.get(path)
        if sys.platform != "linux" or project is None:
            return
        wanted = seen is not None and seen.running and self._is_gvisor(project, seen)
        self.relays.update(path, self.hosts.environ(project.engine), wanted)

    def _is_gvisor(self, project: Tracked, seen: Seen) -> bool:
        runtime = seen.container.runtime if seen.container is not None else None
        facts = self.hosts.known(project.engine).facts
        if runtime is None or facts is None or facts.engine is None:
            return False
        known = facts.engine.runtime(runtime.value)
        return known is not None and known.gvisor is True

    async def _look(self, project: Tracked, seen: float, force: bool = False) -> None:
        """Scan a project; when its config changed (or `force`), generate it."""
        async with project.work:
            if self.projects.get(project.path) is not project:
                return
            before = project.scan
            project.scan = await self._in_thread(scan, project.path)
            if before.exists != project.scan.exists:
                kind = "back" if project.scan.exists else "gone"
                self._emit({"kind": kind, "path": project.path})  # type: ignore[typeddict-item]
            if not project.scan.exists:
                project.examined = Examined(exists=False)
            elif force or _differs(before, project.scan):
                await self._generate(project, seen, force)
            if project.scan.folders != before.folders:
                self._schedule_rewatch()

    async def _generate(self, project: Tracked, seen: float, force: bool) -> None:
        world = self.hosts.known(project.engine)
        if world.facts is None:
            world = await self.hosts.fresh(project.engine, FIRST_FACTS_SECONDS)
        if world.facts is None:
            text = "nothing is known of the host yet"
            self._emit({"kind": "failed", "path": project.path, "message": text})
            # Not dealt with: the next sweep comes back to it.
            project.scan = project.scan._replace(stamp=())
            return
        environ = self.hosts.environ(project.engine)
        outcome = await self._in_thread(work.generate, project.path, environ, world.facts)
        done = outcome.done or time.monotonic()
        took = _elapsed(None if force else project.scan.saved, seen, done)
        project.examined = outcome.examined
        after = await self._in_thread(scan, project.path)
        project.scan = after.with_older(project.scan, outcome.written)
        self._emit(work.event(project.path, outcome, took))

    def _schedule_rewatch(self) -> None:
        """Soon, and once for many changes: a new watcher costs up to half a second."""
        if self._rewatch is None:
            loop = asyncio.get_running_loop()
            self._rewatch = loop.call_later(_REWATCH_SECONDS, self._start_rewatch)

    def _start_rewatch(self) -> None:
        self._rewatch = None
        self._spawn(self._watch_all())

    async def _at_start(self) -> None:
        """Watch first, then look: what changes in between is seen twice, not never."""
        await self._watch_all()
        await self._sweep()

    async def _watch_all(self) -> None:
        """Watch the folders of all projects; then look again, for what came in between."""
        wanted = {folder for p in self.projects.values() for folder in p.scan.folders}
        for folders, _ in self._others.values():
            wanted |= folders
        added = wanted - self.watcher.folders
        await self.watcher.watch(frozenset(wanted))
        if added:
            self._spawn(self._poll())
            await self._sweep(
                {p.path for p in self.projects.values() if not added.isdisjoint(p.scan.folders)}
            )

    async def _poll(self) -> None:
        """Look often at the projects of whose changes the kernel does not tell, if any."""
        self._remote = await self._in_thread(_networked, tuple(self.projects))
        if self._is_polling:
            return
        self._is_polling = True
        while self._remote:
            await asyncio.sleep(NETWORKED_SECONDS)
            await self._sweep(self._remote)
        self._is_polling = False

    async def _sweep(self, only: Collection[str] | None = None) -> None:
        seen = time.monotonic()
        before = {
            path: project.scan
            for path, project in self.projects.items()
            if only is None or path in only
        }
        now = await self._in_thread(_scan_all, tuple(before))
        for path, found in now.items():
            project = self.projects.get(path)
            if project is not None and found != before[path]:
                await self._look(project, seen)

    async def _sweep_for_ever(self) -> None:
        while True:
            await asyncio.sleep(self.watcher.interval)
            await self._sweep()
            await self._watch_all()

    async def _in_thread(self, function: Callable[..., T], *args: Any) -> T:
        return await asyncio.get_running_loop().run_in_executor(self._threads, function, *args)

    def _spawn(self, job: Coroutine[Any, Any, None]) -> None:
        task = asyncio.create_task(job)
        self._tasks.add(task)
        task.add_done_callback(self._done)

    def _done(self, task: asyncio.Task[None]) -> None:
        self._tasks.discard(task)
        if not task.cancelled() and task.exception() is not None:
            log.error("a task of the keeper failed", exc_info=task.exception())


def _networked(paths: Collection[str]) -> set[str]:
    return networked(paths, read_mounts())


def _scan_all(paths: Collection[str]) -> dict[str, Scan]:
    return {path: scan(path) for path in paths}


def _differs(before: Scan, now: Scan) -> bool:
    return (before.exists, before.stamp) != (now.exists, now.stamp)


def _elapsed(saved_ns: int | None, seen: float, done: float) -> float:
    """Milliseconds from the save until `done`; from its event when clocks disagree."""
    since_seen = done - seen
    if saved_ns is None:
        return round(since_seen * 1000, 1)
    since_saved = time.time() - (time.monotonic() - done) - saved_ns / 1e9
    fits = since_seen <= since_saved <= since_seen + _LONGEST_SAVE
    return round((since_saved if fits else since_seen) * 1000, 1)
