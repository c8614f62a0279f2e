"""Scratch files in a hostile workspace, created relative to open folders and never through a link."""

from __future__ import annotations

import contextlib
import os
import stat
import time
from collections.abc import Iterable

PREFIX = ".sandboxd-verify-"
_CONTENT = b"ORIGINAL: sandboxd verify made this and removes it\n"
_STALE_SECONDS = 300


class ScratchFolder:
    """A folder of scratch files in `parent`, which is below the workspace's root.

    By their mode everybody may write the files, so that only the read-only mount protects them.

    :raises OSError: it cannot be created there
    """

    def __init__(self, root: str, parent: str, name: str, files: Iterable[str], mode: int) -> None:
        self.path = os.path.join(root, parent, name)
        self._name = name
        self._files = tuple(files)
        self._mode = mode
        self._parent = open_below(root, parent)
        try:
            _sweep(self._parent, self._files)
            os.mkdir(name, 0o700, dir_fd=self._parent)
        except BaseException:
            os.close(self._parent)
            raise
        self._folder = os.open(
            name, os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW, dir_fd=self._parent
        )
        for file in self._files:
            self._make(file)
        os.fchmod(self._folder, mode)

    def damage(self, file: str) -> str:
        """The change of a scratch file (gone, replaced, emptied, overwritten), for a person; '' if it is unchanged."""
        try:
            descriptor = os.open(
                file, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK, dir_fd=self._folder
            )
        except OSError:
            return "gone"
        try:
            if not stat.S_ISREG(os.fstat(descriptor).st_mode):
                return "replaced"
            content = os.read(descriptor, len(_CONTENT) + 1)
        finally:
            os.close(descriptor)
        if content == _CONTENT:
            return ""
        return "emptied" if not content else "overwritten"

    def remove(self) -> None:
        """Remove the scratch files and the folder; other files in it stay."""
        _clear(self._folder, self._files)
        os.close(self._folder)
        with contextlib.suppress(OSError):
            os.rmdir(self._name, dir_fd=self._parent)
        os.close(self._parent)

    def _make(self, file: str) -> None:
        descriptor = os.open(
            file, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW, 0o600, dir_fd=self._folder
        )
        try:
            os.write(descriptor, _CONTENT)
            os.fchmod(descriptor, 0o666)
        finally:
            os.close(descriptor)


def open_below(root: str, path: str) -> int:
    """Open the folder `path` below `root`, without following a link; return the descriptor.

    :raises OSError: it does not exist, or a link is on the path
    """
    flags = os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC
    folder = os.open(root, flags)
    for part in [part for part in path.split("/") if part]:
        try:
            inner = os.open(part, flags | os.O_NOFOLLOW, dir_fd=folder)
        finally:
            os.close(folder)
        folder = inner
    return folder


def take_away(root: str, parent: str, name: str) -> bool:
    """Remove a file that an attempt planted; return False if there was none."""
    try:
        folder = open_below(root, parent)
    except OSError:
        return False
    try:
        os.unlink(name, dir_fd=folder)
    except OSError:
        return False
    finally:
        os.close(folder)
    return True


def _sweep(parent: int, files: Iterable[str]) -> None:
    """Remove what a killed run left behind."""
    for name in os.listdir(parent):
        if not name.startswith(PREFIX):
            continue
        with contextlib.suppress(OSError):
            status = os.stat(name, dir_fd=parent, follow_symlinks=False)
            if time.time() - status.st_mtime < _STALE_SECONDS:
                continue
            if stat.S_ISREG(status.st_mode):
                os.unlink(name, dir_fd=parent)
                continue
            folder = os.open(name, os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW, dir_fd=parent)
            try:
                _clear(folder, files)
            finally:
                os.close(folder)
            os.rmdir(name, dir_fd=parent)


def _clear(folder: int, files: Iterable[str]) -> None:
    for file in files:
        for name in (file, f"{file}.moved", f"{file}.link"):
            with contextlib.suppress(OSError):
                os.unlink(name, dir_fd=folder)
