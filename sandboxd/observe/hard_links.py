"""Counts the names of files on the host: by a second one a program inside can write what a mount makes read-only."""

from __future__ import annotations

import contextlib
import os
import stat
from collections.abc import Iterator

_MOST_ENTRIES = 500
"""Entries of a folder that are looked at: this happens at each look at a sandbox."""


def most_names(path: str) -> int:
    """The most hard links that lead to one file at or below `path`; 1 for nothing that can be looked at.

    Of a large folder a part is looked at, which is enough to find a copy that is made of hard links, such as those of
    `git clone` and `cp -al`.
    """
    return max((status.st_nlink for _, status in _files(path)), default=1)


def files_at(path: str) -> tuple[str, ...]:
    """The paths of the files at or below `path`, as many as `most_names` looks at."""
    return tuple(file for file, _ in _files(path))


def _files(path: str) -> Iterator[tuple[str, os.stat_result]]:
    """The regular files at or below `path`, each with its status; no link is followed."""
    folders: list[str] = []
    left = _MOST_ENTRIES
    with contextlib.suppress(OSError):
        status = os.lstat(path)
        if stat.S_ISREG(status.st_mode):
            yield path, status
        folders = [path] if stat.S_ISDIR(status.st_mode) else []
    while folders and left > 0:
        with contextlib.suppress(OSError), os.scandir(folders.pop()) as entries:
            for entry in entries:
                left -= 1
                if left < 0:
                    break
                if entry.is_dir(follow_symlinks=False):
                    folders.append(entry.path)
                elif entry.is_file(follow_symlinks=False):
                    yield entry.path, entry.stat(follow_symlinks=False)
