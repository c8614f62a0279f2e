"""The projects that are registered with the daemon; the only writer of the file that stores them."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Mapping

from sandboxd.daemon import registry_file
from sandboxd.daemon.projects import Tracked
from sandboxd.daemon.registry_file import Entry

log = logging.getLogger(__name__)


class Registry:
    """All registered projects by path, in `projects`. Only `run` and `close` write the file, always with the newest
    state.
    """

    def __init__(self, path: str) -> None:
        self._path = path
        self._may_write = True
        self._changes = 0
        self._written = 0
        self._changed = asyncio.Event()
        self._has_written = asyncio.Event()
        self.projects: dict[str, Tracked] = {}
        self.problem = ""
        """The last failure to read or to remember, for a person; '' while all is well."""

    async def load(self) -> None:
        """Load the registered projects from the file."""
        loaded = await asyncio.to_thread(registry_file.load, self._path)
        self.problem, self._may_write = loaded.problem, loaded.may_write
        for project in loaded.projects:
            self.projects.setdefault(project.path, project)

    def add(self, project: Tracked) -> None:
        """Add a project, in place of one with the same path."""
        self.projects[project.path] = project
        self.note_change()

    def remove(self, path: str) -> bool:
        """Remove a project; False if it was not registered."""
        was_known = self.projects.pop(path, None) is not None
        if was_known:
            self.note_change()
        return was_known

    def note_change(self) -> None:
        """Have the file written, since a registered project changed."""
        self._changes += 1
        self._changed.set()

    async def saved(self) -> None:
        """Wait until all changes up to now are in the file, or writing failed (`problem` says why)."""
        changes = self._changes
        while self._written < changes:
            self._has_written.clear()
            await self._has_written.wait()

    async def run(self) -> None:
        """Write the file after each change, until cancelled."""
        while True:
            await self._changed.wait()
            await self._write()

    async def close(self) -> None:
        """Write what is not written yet. `run` must have ended."""
        if self._written < self._changes:
            await self._write()

    async def _write(self) -> None:
        self._changed.clear()
        changes = self._changes
        if self._may_write:
            entries = _entries(self.projects)
            problem = await asyncio.to_thread(registry_file.save, self._path, entries)
            if problem:
                log.warning("projects are not remembered: %s", problem)
                self.problem = f"projects are not remembered: {problem}"
            elif self.problem.startswith("projects are not remembered"):
                self.problem = ""
        self._written = changes
        self._has_written.set()


def _entries(projects: Mapping[str, Tracked]) -> list[Entry]:
    return [Entry(p.path, p.engine, p.keeps, p.missing_since) for p in projects.values()]
