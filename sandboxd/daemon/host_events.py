"""Notifies a `sync` session that something changed on the host's side, by file events of each synced folder."""

from __future__ import annotations

import os
import threading
import time
from collections.abc import Callable, Mapping

from sandboxd.daemon.listening import STEP_MS, Change, Changes, Listening, is_nameable
from sandboxd.daemon.networked import networked_now
from sandboxd.sync.engine import Changed, Deaf
from sandboxd.sync.steps import Side

_RETRY_SECONDS = 5.0
"""A folder that goes away as it begins ends it, and so does a limit of the system."""


class HostEvents:
    """Listens for changes in chosen folders below `root`.

    :param put: called in any thread: `Changed` for a change, `Deaf` when events stop or come again
    :param step_ms: milliseconds between two looks at what came in: see `listening.STEP_MS`
    """

    def __init__(
        self, root: str, put: Callable[[Changed | Deaf], None], step_ms: int = STEP_MS
    ) -> None:
        self._root, self._put, self._step_ms = root, put, step_ms
        self._folders: Mapping[str, int] = {}
        self._listening: Listening | None = None
        self._failed = threading.Event()
        self._is_deaf = self._is_stale = False
        self._retry_at = 0.0

    def follow(self, folders: Mapping[str, int]) -> None:
        """Listen to `folders` and to no others.

        New folders count as changed, since something may have happened in them before.

        :param folders: inode numbers by path below the root, '' for the root itself
        """
        if self._failed.is_set():
            self._failed.clear()
            self._end()
            self._retry_at = time.monotonic() + _RETRY_SECONDS
        is_same = folders == self._folders and not self._is_stale
        if is_same and self._listening is not None:
            return
        if self._is_deaf and time.monotonic() < self._retry_at:
            return
        paths = {self._path(folder) for folder in folders}
        if networked_now(frozenset(paths)) or not all(map(is_nameable, paths)):
            self._end()
            self._note_deaf(True)
            return
        self._listen(paths, folders)

    def close(self) -> None:
        """Stop listening."""
        self._end()

    def _listen(self, paths: set[str], folders: Mapping[str, int]) -> None:
        """Begin anew before the earlier one ends: what both tell is told twice."""
        self._is_stale = False
        listening = Listening(paths, self._tell, self._fail, self._step_ms)
        listening.start()
        listening.wait_until_it_listens()
        self._end()
        self._listening, self._folders = listening, folders
        if self._failed.is_set():
            return
        self._note_deaf(False)
        self._put(Changed(Side.HOST))

    def _path(self, folder: str) -> str:
        return os.path.join(self._root, folder) if folder else self._root

    def _tell(self, changes: Changes) -> None:
        paths = {path for change, path in changes if change is Change.deleted}
        # A folder that takes the place of another can have its number, and is not listened to.
        if any(self._path(folder) in paths for folder in self._folders):
            self._is_stale = True
        self._put(Changed(Side.HOST))

    def _fail(self, _error: Exception) -> None:
        self._failed.set()
        self._is_deaf = True
        self._put(Deaf(Side.HOST, True))

    def _note_deaf(self, is_deaf: bool) -> None:
        if is_deaf != self._is_deaf:
            self._is_deaf = is_deaf
            self._put(Deaf(Side.HOST, is_deaf))

    def _end(self) -> None:
        listening, self._listening = self._listening, None
        if listening is not None:
            listening.stop()
