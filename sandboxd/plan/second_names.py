"""Replaces files that are to be mounted read-only by copies, if they have further hard links.

A mount protects a path. A program inside that made a hard link before can still write the same file by its other name.
So each start copies such a file and puts the copy in its place.
"""

from __future__ import annotations

import contextlib
import errno
import os
import re
import shutil
import stat
from typing import TYPE_CHECKING

from sandboxd.plan import beneath

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

_MOST_ENTRIES = 20_000
_DEEPEST = 32
_OBJECTS = ".git/objects"
"""Left out: they are for `part_objects`, which knows which folders git reads them from."""
_FOLDER_OF_OBJECTS = re.compile(r"[0-9a-f]{2}|pack")
_MOST_OBJECTS = 5_000
_MOST_COPIED = 1 << 30
"""Bytes of objects that are copied at one start."""
_NOT_ALLOWED = (errno.EACCES, errno.EPERM, errno.EROFS)


def part(workspace: str, paths: Iterable[str]) -> tuple[tuple[str, ...], bool]:
    """Replace each file at or below `paths` that has further hard links by a copy.

    Symbolic links are not followed. The other names keep the old file.

    :param paths: within the workspace; missing ones are ignored
    :returns: the files that were replaced, and whether all files were examined
    :raises UsageError: the path of a file contains a symbolic link
    :raises EnvironmentFailure: a file cannot be replaced
    """
    walk = _Walk()
    path = ""
    try:
        with beneath.open_folder(workspace) as root:
            for path in paths:
                with (
                    contextlib.suppress(FileNotFoundError),
                    beneath.parent_of(root, path, create=False) as folder,
                ):
                    walk.visit(folder, path, 0)
    except OSError as error:
        raise beneath.cannot_write(path, error) from None
    return tuple(walk.parted), walk.is_whole


def part_objects(folder: str) -> tuple[int, bool]:
    """As `part`, for the objects of a git repository.

    Git gives them further names by `git clone` of a path. Where the clone lies in the workspace, a program inside could
    write them there, and `git checkout` on the host takes a file as it is in its object, without a look at its id.

    :param folder: the absolute path of the repository's folder of objects
    :returns: how many were replaced, and whether none is left; one is left where the folder may not be read or written
    :raises UsageError: the folder cannot be opened
    :raises EnvironmentFailure: an object cannot be replaced for another reason
    """
    parted = copied = 0
    path = folder
    try:
        with beneath.open_folder(folder) as root:
            for name in filter(_FOLDER_OF_OBJECTS.fullmatch, os.listdir(root)):
                path = os.path.join(folder, name)
                with beneath.parent_of(root, f"{name}/x", create=False) as below:
                    for entry, size in _with_further_names(below):
                        if parted == _MOST_OBJECTS or copied + size > _MOST_COPIED:
                            return parted, False
                        # Git on the host may remove one at any time.
                        with contextlib.suppress(FileNotFoundError):
                            replace_by_copy(below, entry)
                            parted, copied = parted + 1, copied + size
    except OSError as error:
        # Objects that the user only borrows may be another user's, or on a disk that is mounted read-only.
        if error.errno in _NOT_ALLOWED:
            return parted, False
        raise beneath.cannot_write(path, error) from None
    return parted, True


def _with_further_names(folder: int) -> Iterator[tuple[str, int]]:
    """The files in a folder that have further hard links, each with its size."""
    with os.scandir(folder) as entries:
        for entry in entries:
            with contextlib.suppress(FileNotFoundError):
                status = entry.stat(follow_symlinks=False)
                if stat.S_ISREG(status.st_mode) and status.st_nlink > 1:
                    yield entry.name, status.st_size


class _Walk:
    def __init__(self) -> None:
        self.parted: list[str] = []
        self.is_whole = True
        self._left = _MOST_ENTRIES

    def visit(self, folder: int, path: str, depth: int) -> None:
        """:raises OSError: a file cannot be replaced"""
        name = os.path.basename(path)
        status = os.stat(name, dir_fd=folder, follow_symlinks=False)
        if stat.S_ISREG(status.st_mode):
            if status.st_nlink > 1:
                replace_by_copy(folder, name)
                self.parted.append(path)
        elif stat.S_ISDIR(status.st_mode) and path != _OBJECTS:
            self._visit_below(folder, path, depth)

    def _visit_below(self, folder: int, path: str, depth: int) -> None:
        flags = os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC
        descriptor = os.open(os.path.basename(path), flags, dir_fd=folder)
        try:
            names = os.listdir(descriptor)
            self._left -= len(names)
            if self._left < 0 or depth == _DEEPEST:
                self.is_whole = False
                return
            for name in names:
                with contextlib.suppress(FileNotFoundError):
                    self.visit(descriptor, f"{path}/{name}", depth + 1)
        finally:
            os.close(descriptor)


class Changed(Exception):
    """A file was written, or replaced by another one, while it was copied."""


def replace_by_copy(
    folder: int, name: str, *, if_same: bool = False, is_flushed: bool = True
) -> None:
    """Put a copy of a file in its place, with its owner, mode and times.

    :param folder: the descriptor of its folder
    :param if_same: whether to leave one that changes meanwhile as it is, and to flush the copy to disk by the time of
        the return, not before it is in its place
    :param is_flushed: whether to flush it to disk at all; else the caller does for many
    :raises Changed: it changed
    :raises OSError: it cannot be read, or its copy not be written
    """
    flags = os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC
    reading = os.open(name, flags, dir_fd=folder)
    with open(reading, "rb") as source:
        status = os.fstat(reading)

        def look_again() -> None:
            now = os.stat(name, dir_fd=folder, follow_symlinks=False)
            if if_same and _stamp(now) != _stamp(status):
                raise Changed

        with beneath.replacing(
            folder, name, 0o600, synced=is_flushed and not if_same, last_look=look_again
        ) as target:
            shutil.copyfileobj(source, target)
            target.flush()
            writing = target.fileno()
            with contextlib.suppress(PermissionError):
                os.fchown(writing, status.st_uid, status.st_gid)
            os.fchmod(writing, stat.S_IMODE(status.st_mode))
            os.utime(writing, ns=(status.st_atime_ns, status.st_mtime_ns))
    if if_same:
        _flush(folder, name)


def _flush(folder: int, name: str) -> None:
    descriptor = os.open(name, os.O_RDONLY | os.O_NOFOLLOW | os.O_CLOEXEC, dir_fd=folder)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def _stamp(status: os.stat_result) -> tuple[int, ...]:
    return status.st_dev, status.st_ino, status.st_size, status.st_mtime_ns
