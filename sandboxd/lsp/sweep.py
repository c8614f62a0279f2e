"""Finds changed files if neither a daemon nor the client watches them, with a few `stat` calls each second."""

from __future__ import annotations

import asyncio
import os
from collections.abc import Callable

from sandboxd import formats

SECONDS = 1.0

_MOST_FILES = 400
"""The most files in all folders together; a config folder has a handful."""

Look = dict[str, tuple[int, int, int]]
"""The modification time (nanoseconds), the size and the inode of each file by path."""


class Sweep:
    """Reports files that changed in the watched folders."""

    def __init__(self, changed: Callable[[set[str]], None]) -> None:
        self._changed = changed
        self._folders: frozenset[str] = frozenset()
        self._before: Look = {}

    def watch(self, folders: frozenset[str]) -> None:
        """Watch these folders from now on, in place of the earlier ones."""
        new = _look(folders - self._folders)
        known_before = {p: s for p, s in self._before.items() if os.path.dirname(p) in folders}
        self._folders, self._before = folders, {**new, **known_before}

    async def run(self) -> None:
        """Check each second until cancelled; in a thread, as a disk may hang."""
        while True:
            await asyncio.sleep(SECONDS)
            folders, before = self._folders, self._before
            now = await asyncio.to_thread(_look, folders)
            if folders != self._folders:
                continue
            self._before = now
            paths = now.keys() | before.keys()
            different = {path for path in paths if now.get(path) != before.get(path)}
            if different:
                self._changed(different)


def _look(folders: frozenset[str]) -> Look:
    files: Look = {}
    for folder in sorted(folders):
        try:
            with os.scandir(folder) as entries:
                for entry in entries:
                    if len(files) >= _MOST_FILES:
                        return files
                    if entry.name == ".env" or formats.find_in_tree(entry.path) is not None:
                        status = entry.stat()
                        files[entry.path] = status.st_mtime_ns, status.st_size, status.st_ino
        except OSError:
            continue
    return files
