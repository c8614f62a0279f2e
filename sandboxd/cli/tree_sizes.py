"""Count the files below the folders of a workspace that tools fill: no file is opened, no link followed.

The workspace is hostile: it may be endless, be changed while it is walked, and hold a file system that hangs.
So the walk is bounded by entries, depth and time, stays on the workspace's own file system, and runs in a
thread that nobody waits for longer.
"""

from __future__ import annotations

import contextlib
import os
import stat
import threading
import time
from collections.abc import Iterator, Mapping
from typing import NamedTuple

from sandboxd.files import reading
from sandboxd.plan.proposed_trees import Size

SECONDS = 1.5
"""The usual time limit of a walk, in seconds."""
RECENT_SECONDS = 7 * 24 * 3600.0
"""Seconds for which a file counts as recent after it was written."""

_MOST_ENTRIES = 100_000
"""The most entries that are counted in one tree, and in all folders outside of the trees together."""
_DEEPEST = 40
_MOST_TREES = 200
_LARGEST_IGNORES = 64 * 1024
_SKIPPED = frozenset((".git", ".hg", ".svn"))


class Sizes(NamedTuple):
    """The folders that tools fill, the one with the most files first."""

    trees: tuple[Size, ...]
    is_whole: bool
    """False if the walk was cut short, so that folders or files are missing."""


class _Walk:
    """One walk; `trees` and `is_whole` can be read while it goes on."""

    def __init__(self, markers: Mapping[str, tuple[str, ...]], seconds: float) -> None:
        self.trees: list[Size] = []
        self.is_whole = True
        self._markers = markers
        self._deadline = time.monotonic() + seconds
        self._since = time.time() - RECENT_SECONDS
        self._left = _MOST_ENTRIES

    def find(self, folder: int, path: str, device: int, depth: int = 0) -> None:
        """Count each tree at or below `path`, whose descriptor is `folder`; search other folders for more."""
        names: dict[str, os.stat_result] = {}
        for name, status in self._entries(folder):
            self._left -= 1
            names[name] = status
            if self._left < 0:
                self.is_whole = False
                break
        to_ignore = _ignored(folder) if ".gitignore" in names else frozenset()
        for name, status in sorted(names.items()):
            if not stat.S_ISDIR(status.st_mode) or name in _SKIPPED or status.st_dev != device:
                continue
            if not self._may_go_on(depth) or len(self.trees) >= _MOST_TREES:
                self.is_whole = False
                return
            below = f"{path}/{name}" if path else name
            with _opened(folder, name) as child:
                if child < 0:
                    continue
                if name in to_ignore or any(each in names for each in self._markers.get(name, ())):
                    self.trees.append(self._measure(child, below, device))
                else:
                    self.find(child, below, device, depth + 1)

    def _measure(self, folder: int, path: str, device: int) -> Size:
        files = size = recent = entries = 0
        is_whole = True

        def add(folder: int, depth: int) -> None:
            nonlocal files, size, recent, entries, is_whole
            below = []
            for name, status in self._entries(folder):
                entries += 1
                if entries > _MOST_ENTRIES:
                    is_whole = False
                    return
                if stat.S_ISDIR(status.st_mode):
                    if status.st_dev == device:
                        below.append(name)
                    continue
                files += 1
                size += status.st_size
                recent += status.st_mtime >= self._since
            for name in below:
                if entries > _MOST_ENTRIES or not self._may_go_on(depth):
                    is_whole = False
                    return
                with _opened(folder, name) as child:
                    if child >= 0:
                        add(child, depth + 1)

        add(folder, 0)
        self.is_whole = self.is_whole and is_whole
        return Size(path, files, size, recent, is_whole)

    def _may_go_on(self, depth: int) -> bool:
        return depth < _DEEPEST and time.monotonic() < self._deadline

    def _entries(self, folder: int) -> Iterator[tuple[str, os.stat_result]]:
        """The entries of a folder, while time is left; one that cannot be looked at is left out."""
        try:
            with os.scandir(folder) as entries:
                for entry in entries:
                    with contextlib.suppress(OSError):
                        yield entry.name, entry.stat(follow_symlinks=False)
                    if time.monotonic() >= self._deadline:
                        self.is_whole = False
                        return
        except OSError:
            self.is_whole = False


def sizes(
    workspace: str, markers: Mapping[str, tuple[str, ...]], seconds: float = SECONDS
) -> Sizes:
    """The folders of `workspace` that tools fill (dependencies, build results), with the number and size of their
    files.

    Those are folders beside a file of their tool, and folders that a `.gitignore` names.

    :param markers: for names of folders, the files one of which has to be beside the folder
    :param seconds: the time limit; what was counted by then is returned
    """
    walk = _Walk(markers, seconds)

    def run() -> None:
        with _opened(None, workspace) as folder:
            if folder < 0:
                walk.is_whole = False
                return
            walk.find(folder, "", os.fstat(folder).st_dev)

    thread = threading.Thread(target=run, name="tree-sizes", daemon=True)
    thread.start()
    thread.join(seconds + 0.5)
    trees = sorted(walk.trees, key=lambda tree: (-tree.files, tree.path))
    return Sizes(tuple(trees), walk.is_whole and not thread.is_alive())


@contextlib.contextmanager
def _opened(folder: int | None, name: str) -> Iterator[int]:
    """The descriptor of a folder, opened without following a link; -1 where it cannot be opened."""
    flags = os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC
    try:
        descriptor = os.open(name, flags, dir_fd=folder)
    except OSError:
        yield -1
        return
    try:
        yield descriptor
    finally:
        os.close(descriptor)


def _ignored(folder: int) -> frozenset[str]:
    """The plain names of folders in the `.gitignore` of a folder: `target`, `/target/`, `**/target`."""
    flags = os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC
    try:
        with reading(os.open(".gitignore", flags, dir_fd=folder)) as file:
            is_regular = stat.S_ISREG(os.fstat(file.fileno()).st_mode)
            data = file.read(_LARGEST_IGNORES) if is_regular else b""
    except OSError:
        return frozenset()
    lines = [line.strip() for line in data.decode("utf-8", "replace").splitlines()]
    exceptions = {line[1:].strip("/") for line in lines if line.startswith("!")}
    names = {line.removeprefix("**/").strip("/") for line in lines}
    return frozenset(
        name for name in names - exceptions if name and not set(name) & set("/*?[!#\\")
    )
