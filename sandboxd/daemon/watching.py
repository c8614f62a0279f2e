"""Notices that a project, a policy or a folder that an editor uses changed: by events, and by comparing files."""

from __future__ import annotations

import asyncio
import contextlib
import os
import time
from collections.abc import Callable, Collection, Iterable, Mapping, Set

from sandboxd.daemon.generation import Generation
from sandboxd.daemon.policies import Policies
from sandboxd.daemon.projects import Tracked
from sandboxd.daemon.scan import batched, scan_all
from sandboxd.daemon.tasks import Tasks
from sandboxd.daemon.threads import Threads
from sandboxd.daemon.watch import Watcher
from sandboxd.files import CONFIG_NAME

DEAF_SECONDS = 2.0
"""Seconds between two comparisons of projects whose folders give no events: see `Watcher.deaf`."""

FOLDER_SECONDS = 1.0
"""Seconds between two looks whether the folders of projects with a sandbox are there: no event tells that one above
them was moved.
"""

_REWATCH_SECONDS = 0.05
"""Seconds that a new set of folders waits for more: many come at once."""

_BUSY_AT_MOST = 0.003
_BUSY_POLLING = 0.05
_BUSY_IN_DOUBT = 0.1
"""The part of a core that sweeping may take however many projects there are: with events, when only
sweeps tell of changes, and while more happens than may have been told."""

_LONGEST_PAUSE = 300.0

_DEEPEST = 4
"""Levels from a config file to its workspace, both counted."""

Changed = Callable[[set[str]], None]
"""Called with the paths that changed."""


class Watching:
    """Passes each project that changed to `generation`, and has `policies` look when one of them may have changed.

    :param projects: all registered projects by path; the caller changes it
    :param own_folder: a folder for the watcher alone; it is made when needed
    :param config_saved: called with the path of a project as soon as its sandboxd.toml was saved, before any look at it
    :param swept: called after each comparison of all projects
    :param used: returns the paths of the projects that have a sandbox
    """

    def __init__(
        self,
        projects: Mapping[str, Tracked],
        policies: Policies,
        own_folder: str,
        generation: Generation,
        threads: Threads,
        tasks: Tasks,
        config_saved: Callable[[str], None],
        swept: Callable[[], None],
        used: Callable[[], Collection[str]],
    ) -> None:
        self._projects = projects
        self._policies = policies
        self._generation = generation
        self._threads = threads
        self._tasks = tasks
        self._config_saved = config_saved
        self._swept = swept
        self._used = used
        self._others: dict[object, tuple[frozenset[str], Changed]] = {}
        self._is_closed = False
        self._is_polling = False
        self._doubt = asyncio.Event()
        """Set when changes may not have been told: all files are to be looked at."""
        self._rewatch: asyncio.TimerHandle | None = None
        self.watcher = Watcher(self._on_change, own_folder, self.rewatch, self._on_doubt)
        self.active_at = time.monotonic()
        """When the last event in a watched folder came, in seconds of the monotonic clock."""

    def start(self) -> None:
        """Begin to compare all files at intervals."""
        self._tasks.spawn_essential(self._sweep_for_ever())
        self._tasks.spawn_essential(self._look_for_folders_for_ever())

    def end(self) -> None:
        """Start no further work, before the tasks are cancelled."""
        self._is_closed = True
        if self._rewatch is not None:
            self._rewatch.cancel()

    def watch_also(self, owner: object, folders: frozenset[str], changed: Changed) -> None:
        """Watch `folders` for another listener `owner`, in place of those of an earlier call; no folders end it.

        :param changed: called with the changed paths, and with folders in which changes may have been missed before
            the watch began
        """
        before = self._others.pop(owner, None)
        if folders:
            self._others[owner] = (folders, changed)
        if before is not None or folders:
            self.rewatch()

    def rewatch(self) -> None:
        """Replace the watched folders by those of the present projects and listeners, soon; several calls lead to one
        change.
        """
        if self._rewatch is None and not self._is_closed:
            pause = max(_REWATCH_SECONDS, self.watcher.rest)
            self._rewatch = asyncio.get_running_loop().call_later(pause, self._start_rewatch)

    async def watch_all(self) -> None:
        """Watch the folders of all projects, then compare the files of newly watched ones, for changes in between."""
        folders_to_watch = {folder for p in self._projects.values() for folder in p.scan.folders}
        folders_to_watch.update(*(folders for folders, _ in self._others.values()))
        await self._policies.look()
        policies = self._policies.nearest()
        folders_to_watch |= policies
        was_blind = bool(self.watcher.problem)
        fresh = await self.watcher.watch(frozenset(folders_to_watch))
        if self.watcher.problem and not was_blind:
            self._on_doubt()
        if self.watcher.deaf and not self._is_polling:
            self._is_polling = True
            self._tasks.spawn_essential(self._poll())
        # No event reports a folder that vanished before it was watched.
        doubtful = fresh | self._not_there(folders_to_watch)
        self._tell_others(fresh)
        if doubtful:
            await self._policies.look()
            if policies != self._policies.nearest():
                self.rewatch()
            await self._sweep(self._having(doubtful))

    async def changed(self, paths: Iterable[str]) -> list[Tracked]:
        """The projects at `paths` whose files changed since they were last scanned."""
        before = {path: self._projects[path].scan for path in paths if path in self._projects}
        now = await self._threads.run(scan_all, tuple(before))
        return [
            project
            for path, scan in now.items()
            if (project := self._projects.get(path)) is not None and scan != before[path]
        ]

    def _on_change(self, paths: set[str], at: float) -> None:
        """Report changed paths to everything that depends on them."""
        self.active_at = at
        touched = paths | {os.path.dirname(path) for path in paths}
        for folders, changed in list(self._others.values()):
            if not touched.isdisjoint(folders):
                changed(paths)
        if self._policies.are_below(touched):
            self.rewatch()
        if self._policies.are_touched(touched):
            self._tasks.spawn(self._policies.look())
        for path in paths:
            folder, name = os.path.split(path)
            if name == CONFIG_NAME and folder in self._projects:
                self._config_saved(folder)
        for project in self._touched(paths, touched):
            project.happened()
            self._generation.look_soon(project, at)

    def _on_doubt(self) -> None:
        """Let everything be looked at: changes may not have been told."""
        self._doubt.set()
        for folders, changed in list(self._others.values()):
            changed(set(folders))

    def _tell_others(self, fresh: frozenset[str]) -> None:
        """Let the other listeners look at folders in which something may have happened before they were watched."""
        for folders, changed in list(self._others.values()):
            if not fresh.isdisjoint(folders):
                changed(set(fresh & folders))

    def _touched(self, paths: Iterable[str], touched: Set[str]) -> set[Tracked]:
        """The projects in which something changed; those that were missing may be back."""
        gone = (p for p in self._projects.values() if not p.scan.exists)
        projects = {p for p in gone if not touched.isdisjoint(p.scan.folders)}
        for path in paths:
            for _ in range(_DEEPEST):
                if (project := self._projects.get(path)) is not None:
                    projects.add(project)
                path = os.path.dirname(path)
        return projects

    def _start_rewatch(self) -> None:
        self._rewatch = None
        self._tasks.spawn_essential(self.watch_all())

    def _not_there(self, folders: Set[str]) -> frozenset[str]:
        """The folders that do not exist and so cannot be watched."""
        if self.watcher.problem:
            return frozenset()
        return frozenset(folders - self.watcher.armed - self.watcher.deaf)

    def _having(self, folders: frozenset[str]) -> list[str]:
        """The projects that have one of `folders`."""
        return [p.path for p in self._projects.values() if not folders.isdisjoint(p.scan.folders)]

    async def _poll(self) -> None:
        """Look often at the projects for which there are no events, while there are any."""
        while projects := self._having(self.watcher.deaf):
            await asyncio.sleep(DEAF_SECONDS)
            await self._sweep(projects)
        self._is_polling = False

    async def _sweep(self, paths: Collection[str]) -> None:
        """Look for changes of projects' files that no event reported."""
        for some in batched(list(paths)):
            since = time.monotonic()
            for project in await self.changed(some):
                if not project.is_due:
                    await self._generation.look(project, since)

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
            await self._policies.look()
            await self._sweep(self._projects)
            took = time.process_time() - before
            self._swept()
            await self.watch_all()

    async def _look_for_folders_for_ever(self) -> None:
        while True:
            await asyncio.sleep(FOLDER_SECONDS)
            used = (self._projects.get(path) for path in self._used())
            there = [
                project.path for project in used if project is not None and project.scan.exists
            ]
            if there and (gone := await self._threads.run(_without_folder, there)):
                await self._sweep(gone)


def _without_folder(paths: Iterable[str]) -> list[str]:
    return [path for path in paths if not os.path.isdir(path)]
