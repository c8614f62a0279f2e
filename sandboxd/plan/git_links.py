"""Symbolic links in a repository's own folder: git on the host writes through them.

Git opens `COMMIT_EDITMSG`, `MERGE_MSG`, `FETCH_HEAD` and the files below `logs` as they are named, and writes
an index or packed refs beside what a link leads to (measured with git 2.47). Whoever can write in the folder
chooses the file of the user that the next commit changes, and most of its text.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from typing import NamedTuple

MOST_AT_A_START = 500
"""The most entries to look at, from the top, since a start and `status` wait for it."""
MOST_AT_AN_END = 20_000

# Git writes no link's target there: objects have names by their content, and hooks are pinned.
_LEFT_OUT = frozenset({".git/objects", ".git/hooks", ".git/annex", ".git/lfs"})


class GitLink(NamedTuple):
    """A symbolic link in a repository's own folder.

    `path` is within the workspace. `path` and `leads_to` may have been chosen by a program inside.
    """

    path: str
    leads_to: str


class GitLinks(NamedTuple):
    """The links of a repository's own folder.

    `complete` is False where the folder has more entries than were looked at.
    """

    links: tuple[GitLink, ...] = ()
    complete: bool = True


def git_links(workspace: str, most: int) -> GitLinks:
    """The symbolic links in the folder `.git` of `workspace`; none if `.git` is not a folder. No link is followed.

    :param most: the largest number of entries to look at
    """
    links: list[GitLink] = []
    folders = [".git"] if _is_own_folder(workspace) else []
    for folder in folders:
        for entry in _entries(os.path.join(workspace, folder)):
            if most == 0:
                return GitLinks(tuple(sorted(links)), complete=False)
            most -= 1
            path = f"{folder}/{entry.name}"
            if entry.is_symlink():
                links.append(GitLink(path, _target(entry.path)))
            elif entry.is_dir(follow_symlinks=False) and path not in _LEFT_OUT:
                folders.append(path)
    return GitLinks(tuple(sorted(links)))


def _is_own_folder(workspace: str) -> bool:
    path = os.path.join(workspace, ".git")
    return os.path.isdir(path) and not os.path.islink(path)


def _entries(folder: str) -> Iterator[os.DirEntry[str]]:
    try:
        with os.scandir(folder) as entries:
            yield from entries
    except OSError:
        return


def _target(path: str) -> str:
    try:
        return os.readlink(path)
    except OSError:
        return ""
