"""Linux tells of changes itself: one descriptor on the event loop, which costs nothing while idle."""

from __future__ import annotations

import asyncio
import ctypes
import errno
import os
import struct
import threading
import time
from collections.abc import Callable

SETTLE_SECONDS = 0.02
"""A save makes several events: they are told together."""

_CLOSE_WRITE, _MOVED_FROM, _MOVED_TO = 0x8, 0x40, 0x80
_CREATE, _DELETE, _DELETE_SELF, _MOVE_SELF = 0x100, 0x200, 0x400, 0x800
_OVERFLOW, _IGNORED, _ONLY_DIRECTORIES = 0x4000, 0x8000, 0x1000000
_MASK = (
    _CLOSE_WRITE | _MOVED_FROM | _MOVED_TO | _CREATE | _DELETE | _DELETE_SELF | _MOVE_SELF
) | _ONLY_DIRECTORIES
_HEAD = struct.Struct("iIII")
_FLAGS = os.O_CLOEXEC | os.O_NONBLOCK

OnChange = Callable[[set[str], float], None]


class Inotify:
    """Tells of changes directly in a set of folders."""

    def __init__(self, on_change: OnChange) -> None:
        """:raises OSError: the kernel gives no watcher"""
        self._on_change = on_change
        self._loop = asyncio.get_running_loop()
        self._libc = ctypes.CDLL(None, use_errno=True)
        self._descriptor = self._libc.inotify_init1(_FLAGS)
        if self._descriptor < 0:
            raise _error()
        self._lock = threading.Lock()
        self._watches: dict[str, int] = {}
        self._folders: dict[int, set[str]] = {}
        self._settling: asyncio.TimerHandle | None = None
        self._loop.add_reader(self._descriptor, self._readable)

    async def follow(self, folders: frozenset[str]) -> None:
        """Watch exactly `folders`; those that are not there are left out.

        :raises OSError: the kernel watches no more
        """
        await asyncio.to_thread(self._follow, folders)

    async def close(self) -> None:
        if self._settling is not None:
            self._settling.cancel()
        if self._descriptor >= 0:
            self._loop.remove_reader(self._descriptor)
            os.close(self._descriptor)
            self._descriptor = -1

    def _follow(self, folders: frozenset[str]) -> None:
        with self._lock:
            for folder in self._watches.keys() - folders:
                self._remove(folder)
            for folder in folders - self._watches.keys():
                self._add(folder)

    def _add(self, folder: str) -> None:
        watch = self._libc.inotify_add_watch(self._descriptor, os.fsencode(folder), _MASK)
        if watch >= 0:
            self._watches[folder] = watch
            self._folders.setdefault(watch, set()).add(folder)
        elif ctypes.get_errno() not in (errno.ENOENT, errno.ENOTDIR, errno.EACCES, errno.ELOOP):
            raise _error()

    def _remove(self, folder: str) -> None:
        watch = self._watches.pop(folder)
        names = self._folders.get(watch, set())
        names.discard(folder)
        # Two names of one folder share a watch.
        if not names and self._folders.pop(watch, None) is not None:
            self._libc.inotify_rm_watch(self._descriptor, watch)

    def _readable(self) -> None:
        """Wait a moment for the rest of a save; until then the descriptor need not wake us."""
        self._loop.remove_reader(self._descriptor)
        self._settling = self._loop.call_later(SETTLE_SECONDS, self._read, time.monotonic())

    def _read(self, seen: float) -> None:
        self._settling = None
        paths: set[str] = set()
        try:
            while data := os.read(self._descriptor, 65536):
                self._take(data, paths)
        except BlockingIOError:
            pass
        self._loop.add_reader(self._descriptor, self._readable)
        if paths:
            self._on_change(paths, seen)

    def _take(self, data: bytes, paths: set[str]) -> None:
        at = 0
        while at < len(data):
            watch, mask, _, size = _HEAD.unpack_from(data, at)
            name = os.fsdecode(data[at + _HEAD.size : at + _HEAD.size + size].rstrip(b"\0"))
            at += _HEAD.size + size
            if mask & _OVERFLOW:
                # Some were lost: everything may have changed.
                paths.update(self._watches)
                continue
            folders = tuple(self._folders.get(watch, ()))
            paths.update(os.path.join(folder, name) if name else folder for folder in folders)
            if mask & (_IGNORED | _MOVE_SELF | _DELETE_SELF):
                self._forget(watch, folders, gone=bool(mask & _IGNORED))

    def _forget(self, watch: int, folders: tuple[str, ...], gone: bool) -> None:
        """The folder is not where it was: what takes its place is to be watched anew."""
        with self._lock:
            self._folders.pop(watch, None)
            for folder in folders:
                self._watches.pop(folder, None)
            if not gone and folders:
                self._libc.inotify_rm_watch(self._descriptor, watch)


def _error() -> OSError:
    number = ctypes.get_errno()
    if number == errno.ENOSPC:
        return OSError(number, "the limit of inotify watches is reached")
    if number == errno.EMFILE:
        return OSError(number, "the limit of inotify instances is reached")
    return OSError(number, os.strerror(number))
