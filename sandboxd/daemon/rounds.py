"""Events by `watchfiles`, for systems without inotify: a watcher cannot be changed, so each set of
folders gets a new one, and the old one ends only when the new one listens."""

from __future__ import annotations

import asyncio
import os
import threading
import time
from collections.abc import Callable

from watchfiles._rust_notify import RustNotify, WatchfilesRustInternalError

# `watchfiles.watch` starts its watcher at the first `next`, which says nothing about when it
# listens; a replacement must be listening before the old one ends. Hence the class underneath.

DEBOUNCE_MS = 20
STEP_MS = 10

OnChange = Callable[[set[str], float], None]


class Rounds:
    """Tells of changes directly in a set of folders."""

    def __init__(self, on_change: OnChange) -> None:
        self._loop = asyncio.get_running_loop()
        self._on_change = on_change
        self._round: _Round | None = None

    async def follow(self, folders: frozenset[str]) -> None:
        """Watch exactly `folders`; those that are not there are left out.

        :raises OSError: the kernel gives no watcher
        """
        fresh = _Round(self._loop, self._on_change)
        try:
            await asyncio.to_thread(fresh.start, folders)
        except WatchfilesRustInternalError as error:
            raise OSError(str(error)) from None
        old, self._round = self._round, fresh
        if old is not None:
            # It may hold changes from before the new one listened, still to be told.
            await asyncio.sleep((DEBOUNCE_MS + 2 * STEP_MS) / 1000)
            await asyncio.to_thread(old.stop)

    def drain(self) -> None:
        """What is under way comes within its 30 ms: there is nothing to hurry."""

    async def close(self) -> None:
        if self._round is not None:
            await asyncio.to_thread(self._round.stop)
            self._round = None


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
