"""inotify, as the kernel gives it: which folders are watched, and what happened directly in them."""

from __future__ import annotations

import ctypes
import errno
import os
import struct
from collections.abc import Iterator

_CLOSE_WRITE, _MOVED_FROM, _MOVED_TO = 0x8, 0x40, 0x80
_CREATE, _DELETE, _DELETE_SELF, _MOVE_SELF = 0x100, 0x200, 0x400, 0x800
_OVERFLOW, _IGNORED, _ONLY_DIRECTORIES = 0x4000, 0x8000, 0x1000000
_MASK = (
    _CLOSE_WRITE | _MOVED_FROM | _MOVED_TO | _CREATE | _DELETE | _DELETE_SELF | _MOVE_SELF
) | _ONLY_DIRECTORIES
_HEAD = struct.Struct("iIII")


class KernelWatch:
    """One inotify descriptor. Calls may come from one thread at a time."""

    def __init__(self) -> None:
        """:raises OSError: the kernel gives none"""
        self._libc = ctypes.CDLL(None, use_errno=True)
        self._descriptor = self._libc.inotify_init1(os.O_CLOEXEC | os.O_NONBLOCK)
        if self._descriptor < 0:
            raise _error()
        self._watches: dict[str, int] = {}
        self._folders: dict[int, tuple[str, ...]] = {}

    @property
    def folders(self) -> set[str]:
        """What is watched now; a folder that went away is not."""
        return set(self._watches)

    def fileno(self) -> int:
        return int(self._descriptor)

    def close(self) -> None:
        if self._descriptor >= 0:
            os.close(self._descriptor)
            self._descriptor = -1

    def add(self, folder: str) -> None:
        """Watch a folder, if it is there.

        :raises OSError: the kernel watches no more
        """
        if folder in self._watches:
            return
        watch = self._libc.inotify_add_watch(self._descriptor, os.fsencode(folder), _MASK)
        if watch >= 0:
            self._watches[folder] = watch
            self._folders[watch] = (*self._folders.get(watch, ()), folder)
        elif ctypes.get_errno() not in (errno.ENOENT, errno.ENOTDIR, errno.EACCES, errno.ELOOP):
            raise _error()

    def remove(self, folder: str) -> None:
        watch = self._watches.pop(folder, -1)
        names = tuple(name for name in self._folders.pop(watch, ()) if name != folder)
        # Two names of one folder share a watch.
        if names:
            self._folders[watch] = names
        elif watch >= 0:
            self._libc.inotify_rm_watch(self._descriptor, watch)

    def read(self) -> Iterator[str]:
        """Paths that changed, without waiting; when some were lost, all folders."""
        try:
            while data := os.read(self._descriptor, 65536):
                yield from self._events(data)
        except BlockingIOError:
            return

    def _events(self, data: bytes) -> Iterator[str]:
        at = 0
        while at < len(data):
            watch, mask, _, size = _HEAD.unpack_from(data, at)
            name = os.fsdecode(data[at + _HEAD.size : at + _HEAD.size + size].rstrip(b"\0"))
            at += _HEAD.size + size
            if mask & _OVERFLOW:
                yield from tuple(self._watches)
                continue
            folders = self._folders.get(watch, ())
            yield from (os.path.join(folder, name) if name else folder for folder in folders)
            if mask & (_IGNORED | _MOVE_SELF | _DELETE_SELF):
                self._forget(watch, folders, is_gone=bool(mask & _IGNORED))

    def _forget(self, watch: int, folders: tuple[str, ...], is_gone: bool) -> None:
        """The folder is not where it was: what takes its place is to be watched anew."""
        self._folders.pop(watch, None)
        for folder in folders:
            self._watches.pop(folder, None)
        if not is_gone and folders:
            self._libc.inotify_rm_watch(self._descriptor, watch)


def _error() -> OSError:
    number = ctypes.get_errno()
    if number == errno.ENOSPC:
        return OSError(number, "the limit of inotify watches is reached")
    if number == errno.EMFILE:
        return OSError(number, "the limit of inotify instances is reached")
    return OSError(number, os.strerror(number))
