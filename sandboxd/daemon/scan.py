"""A quick look at a project's folders: which config files exist, and whether they changed."""

from __future__ import annotations

import contextlib
import os
import stat
import sys
from collections.abc import Collection, Iterable, Iterator
from typing import NamedTuple, TypeVar

_SLICE = 200

T = TypeVar("T")

_MOST_FOLDERS = 64
"""Subfolders of `.devcontainer` that are looked at; a hostile one may hold millions."""

_MOST_OTHERS = 64
"""Other files beside those that are always compared in the folders of policies."""

Stamp = tuple[tuple[str, int], ...]
"""(name, number) of each file; the number differs whenever the file was written or replaced."""


class Scan(NamedTuple):
    """The config files and folders of a project as they were at one moment."""

    exists: bool
    """Whether its folder is there."""
    stamp: Stamp
    """The stamp of the config files; differs whenever one was written, replaced, added or removed."""
    folders: tuple[str, ...]
    """The folders to watch; if the project's folder is missing, the nearest one above it that exists."""
    saved: int
    """The latest modification time of a config file, in nanoseconds since 1970; 0 without one."""
    is_newest: bool = False
    """Whether `saved` is that of sandboxd.toml, so that nothing was generated from it since."""

    def like(self, before: Scan) -> Scan:
        """This scan, sharing memory with `before` as far as both are equal."""
        if self == before:
            return before
        return self if self.folders != before.folders else self._replace(folders=before.folders)

    def differs(self, now: Scan) -> bool:
        """Whether a config file changed between this scan and `now`."""
        return (self.exists, self.stamp) != (now.exists, now.stamp)

    def with_older(self, before: Scan, written: Collection[str]) -> Scan:
        """This scan, but with the stamps of `before` for all files that are not in `written`.

        So the daemon's own writes do not count as changes, and what somebody else wrote meanwhile does.

        :param written: paths of files relative to the workspace
        """
        stamp = {entry[0]: entry for entry in before.stamp}
        stamp.update((entry[0], entry) for entry in self.stamp if entry[0] in written)
        return self._replace(exists=before.exists, stamp=tuple(sorted(stamp.values())))


def scan(workspace: str) -> Scan:
    """Scan the project in `workspace`: no file is read, and no symlinked folder is followed."""
    if not os.path.isdir(workspace):
        return Scan(False, (), (nearest(workspace),), 0)
    folders = [workspace]
    names = ["sandboxd.toml", ".devcontainer.json"]
    config = os.path.join(workspace, ".devcontainer")
    if _is_folder(config):
        folders.append(config)
        names.append(".devcontainer/devcontainer.json")
        for child in _subfolders(config):
            folders.append(os.path.join(config, child))
            names.append(f".devcontainer/{child}/devcontainer.json")
    stamp = []
    times = []
    for name in names:
        # Through symlinks: a linked config changes when its target does.
        with contextlib.suppress(OSError):
            status = os.stat(os.path.join(workspace, name))
            if stat.S_ISDIR(status.st_mode):
                # A stand-in of a start: no config, so that it comes and goes is no change.
                continue
            stamp.append((sys.intern(name), _identity(status)))
            times.append((status.st_mtime_ns, name == "sandboxd.toml"))
    saved, is_newest = max(times, default=(0, False))
    return Scan(True, tuple(sorted(stamp)), tuple(folders), saved, is_newest)


class FolderStamp(NamedTuple):
    """The files directly in a folder of policies or grants as they were at one moment."""

    stamp: Stamp
    nearest: str
    """The folder, or the nearest one above it that exists."""
    left_out: int
    """The number of files that `stamp` lacks, since there are too many."""


def stamp_of_folder(folder: str, names: Collection[str]) -> FolderStamp:
    """The stamp of the files `names` directly in `folder`, and of the first few others there."""
    others: list[str] = []
    with contextlib.suppress(OSError):
        # A temporary file counts once it is renamed to its place.
        listed = (name for name in os.listdir(folder) if not name.endswith(".tmp"))
        others = sorted(name for name in listed if name not in names)
    stamp = []
    for name in (*names, *others[:_MOST_OTHERS]):
        path = os.path.join(folder, name)
        with contextlib.suppress(OSError):
            status = os.stat(path)
            # One that could not be read may have been edited meanwhile, and an edit in place may keep size and time.
            stamp.append((path, hash((_identity(status), status.st_mode, status.st_ctime_ns))))
    return FolderStamp(tuple(stamp), nearest(folder), max(len(others) - _MOST_OTHERS, 0))


def _identity(status: os.stat_result) -> int:
    return hash((status.st_mtime_ns, status.st_size, status.st_ino))


def scan_all(workspaces: Iterable[str]) -> dict[str, Scan]:
    """The scan of each of several projects, by its path."""
    return {workspace: scan(workspace) for workspace in workspaces}


def batched(items: list[T]) -> Iterator[list[T]]:
    """Slices of `items`, small enough that scanning one takes a few milliseconds."""
    return (items[at : at + _SLICE] for at in range(0, len(items), _SLICE))


def _subfolders(folder: str) -> list[str]:
    names: list[str] = []
    with contextlib.suppress(OSError), os.scandir(folder) as entries:
        for entry in entries:
            if len(names) >= _MOST_FOLDERS:
                break
            if entry.is_dir(follow_symlinks=False):
                names.append(entry.name)
    return sorted(names)


def _is_folder(path: str) -> bool:
    try:
        return stat.S_ISDIR(os.lstat(path).st_mode)
    except OSError:
        return False


def nearest(path: str) -> str:
    """The folder `path` if it exists, else the nearest folder above it."""
    while not os.path.isdir(path):
        parent = os.path.dirname(path)
        if parent == path:
            return path
        path = parent
    return path
