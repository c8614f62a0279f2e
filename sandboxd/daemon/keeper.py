"""Keeping projects generated: notices changes, has the files written, tells who listens."""

from __future__ import annotations

import asyncio
import contextlib
import logging
import os
import sys
import time
from collections.abc import Callable, Collection, Coroutine, Iterable, Mapping, Set
from concurrent.futures import ThreadPoolExecutor
from typing import Any, TypeVar

from sandboxd import config
from sandboxd.daemon import registry_file, work
from sandboxd.daemon.backlog import Backlog
from sandboxd.daemon.hosts import Hosts, World
from sandboxd.daemon.projects import EngineKey, Tracked
from sandboxd.daemon.registry import Registry
from sandboxd.daemon.relay import Relays, is_gvisor
from sandboxd.daemon.scan import Stamp, batched, nearest, scan, scan_all, stamp_of_folders
from sandboxd.daemon.tasks import Tasks
from sandboxd.daemon.watch import Watcher
from sandboxd.errors import DaemonError
from sandboxd.ipc import messages
from sandboxd.policy import floor
from sandboxd.status.combine import Examined
from sandboxd.status.examine import examine
from sandboxd.status.observe import Observed, Seen

FIRST_FACTS_SECONDS = 20.0
"""How long the first generation waits for the host to be known: the plan depends on it."""

DEAF_SECONDS = 2.0
"""How often projects are looked at of whose folders no event comes: see `Watcher.deaf`."""

MISSING_SECONDS = 24 * 3600.0
"""How long a project is remembered whose folder is gone."""

_REWATCH_SECONDS = 0.05
_FEW = 20
_BUSY_AT_MOST = 0.003
_BUSY_POLLING = 0.05
_BUSY_IN_DOUBT = 0.1
"""The part of a core that sweeping may take however many projects there are: with events, when only
sweeps tell of changes, and while more happens than may have been told."""

_LONGEST_PAUSE = 300.0

_DEEPEST = 4
"""Levels from a config file to its workspace, both counted."""

_MOST_VISITED = 100

T = TypeVar("T")

log = logging.getLogger(__name__)


class Keeper:
    """All registered projects. Lives on the event loop; files are touched in threads."""

    def __init__(
        self,
        environ: Mapping[str, str],
        emit: Callable[[messages.Event], None],
        own_folder: str,
        host_changed: Callable[[EngineKey], None] | None = None,
        fatal: Callable[[BaseException], None] = lambda _error: None,
    ) -> None:
        """
        :param own_folder: a folder for the watcher alone; it is made when needed
        :param fatal: called when a permanent job failed: projects are not kept from then on
        """
        self._tell_host_changed = host_changed
        self._others: dict[object, tuple[frozenset[str], Callable[[set[str]], None]]] = {}
        self._is_closed = False
        self._is_polling = False
        self._emit = emit
        self._threads = ThreadPoolExecutor(2, thread_name_prefix="project")
        self.tasks = Tasks("the keeper", fatal)
        self._progress = asyncio.Event()
        self._doubt = asyncio.Event()
        """Set when changes may not have been told: all files are to be looked at."""
        self._backlog = Backlog(lambda project: self._look(project, time.monotonic(), force=True))
        self._policies = (floor.user_folder(environ), os.path.dirname(floor.ORGANISATION))
        self._policy_watched: frozenset[str] = frozenset()
        self._policy_stamp: Stamp | None = None
        self._rewatch: asyncio.TimerHandle | None = None
        self.registry = Registry(registry_file.registry_path(environ))
        self.projects = self.registry.projects
        self._visited: set[str] = set()
        self.hosts = Hosts(
            environ,
            lambda: {*self.projects, *self._visited},
            self._host_changed,
            self._sandbox_changed,
        )
        self.watcher = Watcher(self._on_change, own_folder, self._schedule_rewatch, self._doubt.set)
        self.relays = Relays()
        self.active_at = time.monotonic()
        """When something last happened to a project (monotonic)."""

    async def start(self) -> None:
        """Take up the remembered projects and begin to watch them."""
        await self.registry.load()
        self.tasks.spawn_essential(self.registry.run())
        self.tasks.spawn_essential(self._backlog.run())
        self.tasks.spawn_essential(self._sweep_for_ever())
        self.tasks.spawn_essential(self._at_start())

    async def close(self) -> None:
        """Write and watch nothing any more."""
        if self._is_closed:
            return
        self._is_closed = True
        if self._rewatch is not None:
            self._rewatch.cancel()
        await self.tasks.close()
        await self.registry.close()
        self.relays.close()
        await self.watcher.close()
        await self.hosts.close()
        self._threads.shutdown(wait=True, cancel_futures=True)

    def register(
        self, path: str, engine: EngineKey, keeps: bool = True
    ) -> Coroutine[Any, Any, None]:
        """Keep the project at `path` generated from now on; returns when that was done once.

        :param keeps: False only remembers it, and writes nothing; it stays kept if it is already
        :raises DaemonError: this daemon ends or makes way for another one
        """
        if self._is_closed:
            raise DaemonError(
                f"the daemon ends and does not take up `{path}`", "run the command again"
            )
        return self._register(path, engine, keeps)

    async def _register(self, path: str, engine: EngineKey, keeps: bool) -> None:
        project = self.projects.get(path)
        if project is not None and not keeps:
            return
        if project is None or (project.engine, project.keeps) != (engine, keeps):
            project = Tracked(path, engine, keeps)
            self.registry.add(project)
            await self.registry.saved()
            self.hosts.ask_again(engine)
        self._schedule_rewatch()
        await self._look(project, time.monotonic(), force=True)

    async def settled(self, here: str | None, seconds: float) -> None:
        """Wait until what is known of the project `here` is what is there, or for `seconds`.

        Of few projects, until it is of all. No event is waited for: the files themselves are looked at.
        """
        asked = list(self.projects) if len(self.projects) <= _FEW else [here or ""]
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(seconds):
                await self._see_policies()
                for project in await self._changed(asked):
                    project.happened()
                projects = [self.projects[path] for path in asked if path in self.projects]
                for project in projects:
                    if project.is_due:
                        self._soon(project, time.monotonic())
                while any(project.is_due for project in projects):
                    await self._progress.wait()

    def watch_also(
        self, owner: object, folders: frozenset[str], changed: Callable[[set[str]], None]
    ) -> None:
        """Watch `folders` for somebody else, who is told of the paths that changed there."""
        before = self._others.pop(owner, None)
        if folders:
            self._others[owner] = (folders, changed)
        if not self._is_closed and (before is not None or folders):
            self._schedule_rewatch()

    async def forget(self, path: str) -> bool:
        """Stop keeping a project; its files stay as they are. False if it was not known."""
        if not self.registry.remove(path):
            return False
        self._schedule_rewatch()
        await self.registry.saved()
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
        if any(_is_at_or_above(path, policy) for path in touched for policy in self._policies):
            self._schedule_rewatch()
        if not touched.isdisjoint(self._policies):
            self.tasks.spawn(self._see_policies())
        for project in self._touched(paths, touched):
            project.happened()
            self._soon(project, seen)

    def _touched(self, paths: Iterable[str], touched: Set[str]) -> set[Tracked]:
        """The projects in which something happened; those that are not there may be back."""
        gone = (p for p in self.projects.values() if not p.scan.exists)
        found = {p for p in gone if not touched.isdisjoint(p.scan.folders)}
        for path in paths:
            for _ in range(_DEEPEST):
                project = self.projects.get(path)
                if project is not None:
                    found.add(project)
                path = os.path.dirname(path)
        return found

    def _soon(self, project: Tracked, seen: float, force: bool = False) -> None:
        """Look at it now; once, however much happens until its turn comes."""
        if not project.is_queued:
            project.is_queued = True
            self.tasks.spawn(self._look(project, seen, force))

    def _host_changed(self, key: EngineKey) -> None:
        """A runtime came or went: plans may come out differently."""
        self._emit({"kind": "host", "message": "the engine or its runtimes are not what they were"})
        if self._tell_host_changed is not None:
            self._tell_host_changed(key)
        self._backlog.add(p for p in self.projects.values() if p.engine == key)

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
        facts = self.hosts.known(project.engine).facts
        wanted = seen is not None and seen.running and is_gvisor(facts, seen.container)
        self.relays.update(path, self.hosts.environ(project.engine), wanted)

    async def _look(self, project: Tracked, seen: float, force: bool = False) -> None:
        """Scan a project; when its config changed (or `force`), generate it."""
        async with project.work:
            project.is_queued = False
            changes = project.changes
            force |= self._backlog.take(project) or not project.is_known
            try:
                if self.projects.get(project.path) is project:
                    await self._look_now(project, seen, force)
            except Exception as error:
                # One project, which may be hostile, is not to end the daemon for all others.
                log.exception("looking at `%s` failed", project.path)
                project.examined = work.bug(error)
            finally:
                project.dealt_with(changes)
                self._progress.set()
                self._progress = asyncio.Event()

    async def _look_now(self, project: Tracked, seen: float, force: bool) -> None:
        before = project.scan
        project.scan = (await self._in_thread(scan, project.path)).like(before)
        if before.exists != project.scan.exists:
            kind = "back" if project.scan.exists else "gone"
            self._emit({"kind": kind, "path": project.path})  # type: ignore[typeddict-item]
        if project.scan.exists != (project.missing_since is None):
            project.missing_since = None if project.scan.exists else time.time()
            self.registry.note_change()
        if not project.scan.exists:
            project.examined = Examined(exists=False)
        elif force or before.differs(project.scan):
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
        job = work.generate if project.keeps else work.look
        outcome = await self._in_thread(job, project.path, environ, world.facts)
        done = outcome.done or time.monotonic()
        took = work.elapsed(None if force else project.scan.saved, seen, done)
        project.examined = outcome.examined
        after = await self._in_thread(scan, project.path)
        project.scan = after.with_older(project.scan, outcome.written).like(project.scan)
        self._emit(work.event(project.path, outcome, took))

    def _schedule_rewatch(self) -> None:
        """Soon, and once for many changes: a new watcher costs up to half a second."""
        if self._rewatch is None and not self._is_closed:
            loop = asyncio.get_running_loop()
            pause = max(_REWATCH_SECONDS, self.watcher.rest)
            self._rewatch = loop.call_later(pause, self._start_rewatch)

    def _start_rewatch(self) -> None:
        self._rewatch = None
        self.tasks.spawn_essential(self._watch_all())

    async def _at_start(self) -> None:
        """Watch first, then look: what changes in between is seen twice, not never.

        First those whose config was saved while nobody looked, then the ones used last.
        """
        new = [p for p in self.projects.values() if not p.is_known]
        for some in batched(new):
            found = await self._in_thread(scan_all, [p.path for p in some])
            for project in some:
                if not project.is_known and not project.is_queued:
                    project.scan = found[project.path].like(project.scan)
        await self._watch_all()
        self._backlog.add(sorted(new, key=lambda p: (not p.scan.is_newest, -p.scan.saved)))

    async def _watch_all(self) -> None:
        """Watch the folders of all projects; then look again, for what came in between."""
        wanted = {folder for p in self.projects.values() for folder in p.scan.folders}
        for folders, _ in self._others.values():
            wanted |= folders
        policies = frozenset(map(nearest, self._policies))
        if policies != self._policy_watched:
            self._policy_watched = policies
            self._backlog.add(p for p in self.projects.values() if p.is_known)
        wanted |= policies
        is_blind = bool(self.watcher.problem)
        fresh = await self.watcher.watch(frozenset(wanted))
        if self.watcher.problem and not is_blind:
            self._doubt.set()
        if policies != frozenset(map(nearest, self._policies)):
            self._schedule_rewatch()
        if self.watcher.deaf and not self._is_polling:
            self._is_polling = True
            self.tasks.spawn_essential(self._poll())
        if fresh:
            await self._see_policies()
            await self._sweep(self._having(fresh))

    def _having(self, folders: frozenset[str]) -> list[str]:
        """The projects that have one of `folders`."""
        return [p.path for p in self.projects.values() if not folders.isdisjoint(p.scan.folders)]

    async def _poll(self) -> None:
        """Look often at the projects of whose changes no event tells, while there are any."""
        while projects := self._having(self.watcher.deaf):
            await asyncio.sleep(DEAF_SECONDS)
            await self._sweep(projects)
        self._is_polling = False

    async def _see_policies(self) -> None:
        """Look at all projects again if a policy or a grant is not what it was."""
        stamp = await self._in_thread(stamp_of_folders, self._policies)
        before, self._policy_stamp = self._policy_stamp, stamp
        if before is not None and before != stamp:
            self._backlog.add(self.projects.values())

    async def _changed(self, paths: Iterable[str]) -> list[Tracked]:
        """Those of the projects `paths` whose files are not what they were when last looked at."""
        before = {p: self.projects[p].scan for p in paths if p in self.projects}
        now = await self._in_thread(scan_all, tuple(before))
        return [
            project
            for path, scan in now.items()
            if (project := self.projects.get(path)) is not None and scan != before[path]
        ]

    async def _sweep(self, only: Collection[str] | None = None) -> None:
        """Look at the files of projects for changes of which nobody told."""
        for some in batched(list(self.projects if only is None else only)):
            seen = time.monotonic()
            for project in await self._changed(some):
                if not project.is_due:
                    await self._look(project, seen)

    def _forget_missing(self) -> None:
        """Know no more of projects whose folder has been gone for long: a disk comes back sooner."""
        latest = time.time() - MISSING_SECONDS
        for path, project in list(self.projects.items()):
            if project.missing_since is not None and project.missing_since < latest:
                log.info("`%s` has been gone for a day and is forgotten", path)
                self.registry.remove(path)

    async def _sweep_for_ever(self) -> None:
        took = 0.0
        while True:
            share = _BUSY_POLLING if self.watcher.problem else _BUSY_AT_MOST
            pause = max(self.watcher.interval, took / share)
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(min(pause, _LONGEST_PAUSE)):
                    await self._doubt.wait()
                    # Let the flood end that caused it, and take a tenth of a core while it does not.
                    await asyncio.sleep(max(_REWATCH_SECONDS, took / _BUSY_IN_DOUBT))
            self._doubt.clear()
            before = time.process_time()
            await self._see_policies()
            await self._sweep()
            took = time.process_time() - before
            self._forget_missing()
            await self._watch_all()

    async def _in_thread(self, function: Callable[..., T], *args: Any) -> T:
        return await asyncio.get_running_loop().run_in_executor(self._threads, function, *args)


def _is_at_or_above(path: str, other: str) -> bool:
    return path == other or other.startswith(f"{path}/")
