"""Linux tells of changes itself: one descriptor on the event loop, which costs nothing while idle."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable

from sandboxd.daemon.kernel_watch import KernelWatch

SETTLE_SECONDS = 0.01
"""A save makes several events: they are told together."""

_AT_ONCE = 500
"""Folders that are added between two looks at the rest of the world."""

OnChange = Callable[[set[str], float], None]


class Inotify:
    """Tells of changes directly in a set of folders."""

    def __init__(self, on_change: OnChange) -> None:
        """:raises OSError: the kernel gives no watcher"""
        self._on_change = on_change
        self._loop = asyncio.get_running_loop()
        self._watch = KernelWatch()
        self._settling: asyncio.TimerHandle | None = None
        self._loop.add_reader(self._watch.fileno(), self._readable)

    async def follow(self, folders: frozenset[str]) -> None:
        """Watch exactly `folders`; those that are not there are left out.

        :raises OSError: the kernel watches no more
        """
        known = self._watch.folders
        for folder in known - folders:
            self._watch.remove(folder)
        for number, folder in enumerate(folders - known):
            self._watch.add(folder)
            if number % _AT_ONCE == _AT_ONCE - 1:
                await asyncio.sleep(0)

    def drain(self) -> None:
        """Tell at once of what the kernel knows already."""
        paths = set(self._watch.read()) if self._watch.fileno() >= 0 else set()
        if paths:
            self._on_change(paths, time.monotonic())

    async def close(self) -> None:
        if self._settling is not None:
            self._settling.cancel()
        if self._watch.fileno() >= 0:
            self._loop.remove_reader(self._watch.fileno())
            self._watch.close()

    def _readable(self) -> None:
        """Wait a moment for the rest of a save; until then the descriptor need not wake us."""
        self._loop.remove_reader(self._watch.fileno())
        self._settling = self._loop.call_later(SETTLE_SECONDS, self._read, time.monotonic())

    def _read(self, seen: float) -> None:
        self._settling = None
        paths = set(self._watch.read())
        self._loop.add_reader(self._watch.fileno(), self._readable)
        if paths:
            self._on_change(paths, seen)
