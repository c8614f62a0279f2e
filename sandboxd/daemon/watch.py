"""Watching folders for changes: one kernel watcher for all projects, replaced without a gap.

Only folders are watched, never files: editors replace a file by renaming another over it, which
ends a watch on the file itself. Nothing is watched recursively: a filter would run only after
the kernel has been asked to watch all of node_modules.
"""

from __future__ import annotations

import asyncio
import logging
import os
import threading
import time
from collections.abc import Callable

from watchfiles._rust_notify import RustNotify, WatchfilesRustInternalError

# `watchfiles.watch` starts its watcher at the first `next`, which says nothing about when it
# listens; a replacement must be listening before the old one ends. Hence the class underneath.

DEBOUNCE_MS = 20
STEP_MS = 5

SWEEP_SECONDS = 30.0
"""How often files are looked at though no event came: the kernel's queue drops silently."""

POLL_SECONDS = 1.0
"""The same when the kernel gives no events at all."""

_RETRY_SECONDS = 60.0

OnChange = Callable[[set[str], float], None]
"""Called on the event loop with the paths that changed and the monotonic time of the event."""

log = logging.getLogger(__name__)


class Watcher:
    """Tells of changes directly in a set of folders, which may be replaced at any time."""

    def __init__(self, on_change: OnChange) -> None:
        self._on_change = on_change
        self._loop = asyncio.get_running_loop()
        self._wanted: frozenset[str] = frozenset()
        self._round: _Round | None = None
        self._changing = asyncio.Lock()
        self._failed_at = 0.0
        self.problem = ""
        """Why there are no events, '' while there are."""

    @property
    def interval(self) -> float:
        """Seconds between two sweeps."""
        return POLL_SECONDS if self.problem else SWEEP_SECONDS

    @property
    def folders(self) -> frozenset[str]:
        return self._wanted

    async def watch(self, folders: frozenset[str]) -> bool:
        """Watch exactly `folders`; True when the set changed, so that files be looked at again."""
        async with self._changing:
            due = self.problem and time.monotonic() - self._failed_at > _RETRY_SECONDS
            if folders == self._wanted and not due:
                return False
            old, self._round = self._round, await self._open(folders)
            self._wanted = folders
            if old is not None:
                # It may hold changes from before the new one listened, still to be told.
                await asyncio.sleep((DEBOUNCE_MS + 2 * STEP_MS) / 1000)
                await asyncio.to_thread(old.stop)
            return True

    async def close(self) -> None:
        async with self._changing:
            if self._round is not None:
                await asyncio.to_thread(self._round.stop)
                self._round = None

    async def _open(self, folders: frozenset[str]) -> _Round | None:
        fresh = _Round(self._loop, self._on_change)
        try:
            await asyncio.to_thread(fresh.start, folders)
        except (OSError, WatchfilesRustInternalError) as error:
            self._fail(str(error))
            return None
        self.problem = ""
        return fresh

    def _fail(self, reason: str) -> None:
        self._failed_at = time.monotonic()
        self.problem = f"no file events ({reason.lower()}), files are looked at every second"
        log.warning("%s", self.problem)


class _Round:
    """One kernel watcher and the thread that reads it."""

    def __init__(self, loop: asyncio.AbstractEventLoop, on_change: OnChange) -> None:
        self._loop = loop
        self._on_change = on_change
        self._stop = threading.Event()
        self._thread: threading.Thread | None = None

    def start(self, folders: frozenset[str]) -> None:
        """Return once changes are seen.

        :raises OSError: the kernel gives no watcher
        """
        notify = _open(folders)
        if notify is None:
            return
        self._thread = threading.Thread(
            target=self._read, args=(notify,), name="watch", daemon=True
        )
        self._thread.start()

    def stop(self) -> None:
        self._stop.set()
        if self._thread is not None:
            self._thread.join(1.0)

    def _read(self, notify: RustNotify) -> None:
        try:
            while not self._stop.is_set():
                changes = notify.watch(DEBOUNCE_MS, STEP_MS, 0, self._stop)
                if not isinstance(changes, set):
                    return
                seen = time.monotonic()
                paths = {path for _, path in changes}
                self._loop.call_soon_threadsafe(self._on_change, paths, seen)
        except RuntimeError:
            # The loop was closed under us: the daemon ends.
            return
        finally:
            notify.close()


def _open(folders: frozenset[str]) -> RustNotify | None:
    """A watcher of the folders that exist; one that vanishes meanwhile is left out."""
    for _ in range(5):
        present = sorted(folder for folder in folders if os.path.isdir(folder))
        if not present:
            return None
        try:
            return RustNotify(present, False, False, 300, False, True)
        except FileNotFoundError:
            continue
    return None
