"""Examines projects one after the other, and generates their files where the config changed."""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import Callable, Collection, Iterable

from sandboxd.daemon import work
from sandboxd.daemon.backlog import Backlog
from sandboxd.daemon.hosts import Hosts
from sandboxd.daemon.projects import Tracked
from sandboxd.daemon.registry import Registry
from sandboxd.daemon.scan import Scan, scan
from sandboxd.daemon.tasks import Tasks
from sandboxd.daemon.threads import Threads
from sandboxd.ipc import messages
from sandboxd.status.combine import Examined

FIRST_FACTS_SECONDS = 20.0
"""Seconds that the first generation waits for the facts about the host, on which the plan depends."""

log = logging.getLogger(__name__)


class Generation:
    """Examines projects and generates their files, at once or in the background.

    :param emit: called with the outcome of each examination as an event
    :param folders_changed: called when the folders to watch for a project changed
    """

    def __init__(
        self,
        registry: Registry,
        hosts: Hosts,
        threads: Threads,
        tasks: Tasks,
        emit: Callable[[messages.Event], None],
        folders_changed: Callable[[], None],
    ) -> None:
        self._registry = registry
        self._hosts = hosts
        self._threads = threads
        self._tasks = tasks
        self._emit = emit
        self._folders_changed = folders_changed
        self._progress = asyncio.Event()
        self._backlog = Backlog(lambda project: self.look(project, time.monotonic(), force=True))

    def start(self) -> None:
        """Begin to handle the projects that are given to `look_later`."""
        self._tasks.spawn_essential(self._backlog.run())

    def look_later(self, projects: Iterable[Tracked]) -> None:
        """Queue projects to be examined and generated in the background; until then their state counts as outdated."""
        self._backlog.add(projects)

    def look_soon(self, project: Tracked, since: float) -> None:
        """Examine a project now, in a task of its own. A project that already waits for that is not queued twice.

        :param since: when the change was noticed, in seconds of the monotonic clock
        """
        if not project.is_queued:
            project.is_queued = True
            self._tasks.spawn(self.look(project, since))

    async def wait(self, projects: Collection[Tracked]) -> None:
        """Wait until every change of `projects` that was noticed so far has been handled."""
        while any(project.is_due for project in projects):
            await self._progress.wait()

    async def look(self, project: Tracked, since: float, force: bool = False) -> None:
        """Scan the config files of a project; if they changed, generate its files.

        :param since: when the change was noticed, in seconds of the monotonic clock
        :param force: generate also if nothing changed
        """
        async with project.work:
            project.is_queued = False
            changes = project.changes
            force |= self._backlog.take(project) or not project.is_known
            try:
                if self._registry.projects.get(project.path) is project:
                    before = project.scan
                    project.scan = (await self._threads.run(scan, project.path)).like(before)
                    if before.differs(project.scan) and changes == project.changes:
                        # No event told of it yet; until it is dealt with, nothing older is true.
                        project.happened()
                        changes = project.changes
                    await self._look(project, before, since, force)
            except Exception as error:
                # A failure on one project, which may be hostile, must not end the daemon for all others.
                log.exception("looking at `%s` failed", project.path)
                project.examined = work.bug(error)
            finally:
                project.dealt_with(changes)
                self._progress.set()
                self._progress = asyncio.Event()

    async def _look(self, project: Tracked, before: Scan, since: float, force: bool) -> None:
        if before.exists and not project.scan.exists:
            self._emit({"kind": "gone", "path": project.path})
        elif not before.exists and project.scan.exists:
            self._emit({"kind": "back", "path": project.path})
        if project.scan.exists != (project.missing_since is None):
            project.missing_since = None if project.scan.exists else time.time()
            self._registry.note_change()
        if not project.scan.exists:
            project.examined = Examined(exists=False)
        elif force or before.differs(project.scan):
            await self._generate(project, since, force)
        if project.scan.folders != before.folders:
            self._folders_changed()

    async def _generate(self, project: Tracked, since: float, force: bool) -> None:
        world = self._hosts.known(project.engine)
        if world.facts is None:
            world = await self._hosts.fresh(project.engine, FIRST_FACTS_SECONDS)
        if world.facts is None:
            text = "nothing is known of the host yet"
            self._emit({"kind": "failed", "path": project.path, "message": text})
            # Not dealt with: the next sweep comes back to it.
            project.scan = project.scan._replace(stamp=())
            return
        environ = self._hosts.environ(project.engine)
        job = work.generate if project.keeps else work.look
        outcome = await self._threads.run(job, project.path, environ, world.facts)
        done = outcome.done or time.monotonic()
        took = work.elapsed(None if force else project.scan.saved, since, done)
        project.examined = outcome.examined
        after = await self._threads.run(scan, project.path)
        project.scan = after.with_older(project.scan, outcome.written).like(project.scan)
        self._emit(work.event(project.path, outcome, took))
