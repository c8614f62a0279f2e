"""Finds what links in a workspace's read-only files lead to: a mount protects the link, not the file behind it."""

from __future__ import annotations

import os
import posixpath
from collections.abc import Iterable, Iterator
from typing import NamedTuple

from sandboxd.plan import git_files

_MOST_ENTRIES = 2_000
_DEEPEST = 8
_IN_GIT = ("", "hooks", "info")
"""The folders of a git directory in which git follows links."""


class Behind(NamedTuple):
    """A path within the workspace to which a link leads, and the link: within the workspace, or an absolute path."""

    path: str
    link: str


class Links(NamedTuple):
    """What links lead to.

    `ends` are files, and folders in which git runs what is there. `on_the_way` are other folders, in which one works,
    links that are writable inside, and paths at which no file or folder is. `is_whole` is False where there was too
    much to look at.
    """

    ends: tuple[Behind, ...] = ()
    on_the_way: tuple[Behind, ...] = ()
    is_whole: bool = True


def links_in(
    workspace: str, pinned: Iterable[str], of_git: Iterable[str], git_folders: Iterable[str]
) -> Links:
    """Follow the links in the folders `pinned`, and in git directories of the host, to what is in the workspace.

    :param workspace: an absolute path without links
    :param pinned: paths within the workspace
    :param of_git: those of them that settings of git name
    :param git_folders: absolute paths
    """
    paths, own = tuple(pinned), tuple(git_folders)
    walk = _Walk(workspace, paths, (*of_git, *own))
    for path in paths:
        if path != ".git":
            walk.visit(path, 0)
    for folder in own:
        for name in _IN_GIT:
            # Without what lies deeper: objects, refs and the like have no links.
            walk.visit(posixpath.join(folder, name).rstrip("/"), _DEEPEST)
    return Links(tuple(sorted(walk.ends)), tuple(sorted(walk.on_the_way)), walk.is_whole)


def way_of(link: str) -> tuple[str, str]:
    """The absolute paths to which a link leads at once, and in the end.

    :raises OSError: it is no link, or gone
    """
    written = os.readlink(link)
    folder = os.path.realpath(os.path.dirname(link))
    return os.path.normpath(os.path.join(folder, written)), os.path.realpath(link)


class _Walk:
    def __init__(self, workspace: str, pinned: tuple[str, ...], of_git: Iterable[str]) -> None:
        self._workspace = workspace
        self._of_git = {*of_git}
        self._pinned = tuple(f"{path}/" for path in (*pinned, ".git"))
        self._left = _MOST_ENTRIES
        self.ends: set[Behind] = set()
        self.on_the_way: set[Behind] = set()
        self.is_whole = True

    def visit(self, folder: str, depth: int) -> None:
        path = os.path.join(self._workspace, folder)
        if os.path.islink(path):
            self._follow(folder)
            return
        for name, is_link, is_folder in self._entries(path):
            inside = f"{folder}/{name}"
            if is_link:
                self._follow(inside)
            elif is_folder and depth < _DEEPEST:
                self.visit(inside, depth + 1)
            elif is_folder and not os.path.isabs(folder):
                self.is_whole = False

    def _entries(self, path: str) -> Iterator[tuple[str, bool, bool]]:
        try:
            with os.scandir(path) as entries:
                for entry in entries:
                    self._left -= 1
                    if self._left < 0:
                        self.is_whole = False
                        return
                    yield entry.name, entry.is_symlink(), entry.is_dir(follow_symlinks=False)
        except (FileNotFoundError, NotADirectoryError):
            return
        except OSError:
            self.is_whole = False

    def _follow(self, link: str) -> None:
        """Note the end of `link`, and what of the way to it can be changed from inside."""
        full = os.path.join(self._workspace, link)
        try:
            first, end = way_of(full)
        except OSError:
            self.is_whole = False
            return
        for path in {first, end}:
            inside = self._inside(path)
            if not inside or (inside + "/").startswith(self._pinned):
                continue
            behind = Behind(inside, link)
            if path == end and os.path.isfile(path):
                self.ends.add(behind)
            elif path == end and os.path.isdir(path) and self._is_of_git(link):
                self._visit_end(behind)
            else:
                self.on_the_way.add(behind)
        # A link in the place of such a folder would lead elsewhere.
        for path in git_files.ways_up(full):
            inside = self._inside(path)
            if inside and not (inside + "/").startswith(self._pinned):
                self.on_the_way.add(Behind(inside, link))

    def _is_of_git(self, link: str) -> bool:
        return any(f"{link}/".startswith(f"{path}/") for path in self._of_git)

    def _visit_end(self, behind: Behind) -> None:
        """Look for further links in a folder to which one leads."""
        self.ends.add(behind)
        if behind.path not in self._of_git:
            self._of_git.add(behind.path)
            self.visit(behind.path, 0)

    def _inside(self, path: str) -> str:
        prefix = self._workspace + "/"
        return posixpath.relpath(path, self._workspace) if path.startswith(prefix) else ""
