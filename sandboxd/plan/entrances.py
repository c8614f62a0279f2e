"""Finds where git on the host enters repositories below a work tree: submodules, theirs in turn, and linked work trees.

`git status` at the top runs git in each submodule, with the config of the repository there; a person or an editor goes
into a linked work tree. The lists of both are in git directories of the host, which no program inside can write.
"""

from __future__ import annotations

import os
import posixpath
import stat
from typing import NamedTuple

from sandboxd.errors import SandboxdError
from sandboxd.plan import beneath
from sandboxd.plan.gitlinks import Index, paths_in
from sandboxd.plan.linked_worktree import work_tree_folders, work_trees_below

MOST = 32
"""The most repositories that are mounted read-only; further ones are only reported."""


class Entrance(NamedTuple):
    """A path of the work tree at which git enters a repository.

    `is_counted` is False for one that is not protected, since there are too many or it is not a plain path within the
    work tree. `in_the_way` is the part of the path that is not a folder, or a link at its `.git`; '' if there is none,
    or nothing exists there. `kept_in` is the folder in which git on the host keeps the repository's own folder, unless
    that is in the work tree. `is_linked` tells a linked work tree from a submodule.
    """

    path: str
    is_counted: bool
    in_the_way: str = ""
    kept_in: str = ""
    is_linked: bool = False


class Unread(NamedTuple):
    """An index that cannot be read: the path of its git directory within the work tree, and why."""

    path: str
    why: str


class Entrances(NamedTuple):
    """The places at which git enters repositories now.

    `files` and `folders` are the absolute paths of what lists them: it changes when one of these files is written, or
    something new is in one of these folders. They need not exist. `configs` are the config files of the repositories that
    were entered, the top among them, each with the work tree in which git reads it.
    """

    places: tuple[Entrance, ...] = ()
    unread: tuple[Unread, ...] = ()
    files: tuple[str, ...] = ()
    folders: tuple[str, ...] = ()
    configs: tuple[tuple[str, str], ...] = ()


def entrances(workspace: str, top: Index) -> Entrances:
    """Find the places below `workspace`, an absolute path without links, whose index is `top`.

    Those of the top come first, in the order of its index.
    """
    walk = _Walk(workspace)
    walk.waiting.append(("", top))
    while walk.waiting:
        walk.enter(*walk.waiting.pop(0))
    return Entrances(
        tuple(walk.places),
        tuple(walk.unread),
        tuple(walk.files),
        tuple(walk.folders),
        tuple(walk.configs),
    )


class _Walk:
    """Goes through repositories; `waiting` are those to come, each by its work tree within the workspace and its index."""

    def __init__(self, workspace: str) -> None:
        self._workspace = workspace
        self._entered: set[str] = set()
        self._commons: set[str] = set()
        self._paths: set[str] = set()
        self.waiting: list[tuple[str, Index]] = []
        self.places: list[Entrance] = []
        self.unread: list[Unread] = []
        self.files: list[str] = []
        self.folders: list[str] = []
        self.configs: list[tuple[str, str]] = []

    def enter(self, prefix: str, index: Index) -> None:
        """Add what the repository of the work tree at `prefix` lists."""
        if index.own in self._entered:
            return
        self._entered.add(index.own)
        worktree = posixpath.join(self._workspace, prefix).rstrip("/")
        self.configs += [(path, worktree) for path in index.configs]
        self.files.append(index.path)
        modules = posixpath.join(index.own, "modules")
        self.folders.append(modules)
        try:
            for path in paths_in(index):
                self._submodule(prefix, path, modules)
        except (OSError, ValueError) as error:
            why = str(getattr(error, "strerror", None) or error)
            self.unread.append(Unread(posixpath.join(prefix, ".git"), why))
        if index.common not in self._commons:
            self._commons.add(index.common)
            self._work_trees(index.common)

    def _submodule(self, prefix: str, path: str, modules: str) -> None:
        place = posixpath.join(prefix, path)
        is_plain = posixpath.normpath(path) == path and not path.startswith(("/", "../"))
        if not is_plain or "\0" in path or path in (".", ".."):
            self.places.append(Entrance(place, is_counted=False))
            return
        self._add(Entrance(place, True, _in_the_way(self._workspace, place), modules))

    def _work_trees(self, common: str) -> None:
        folder = posixpath.join(common, "worktrees")
        self.folders.append(folder)
        self.files += [posixpath.join(own, "gitdir") for own in work_tree_folders(common)]
        for tree in work_trees_below(self._workspace, common):
            file = f"{tree.path}/.git"
            # One whose folder is gone stays in the list until `git worktree prune`.
            if os.path.lexists(posixpath.join(self._workspace, file)):
                in_the_way = _in_the_way(self._workspace, tree.path)
                if not in_the_way and os.path.islink(posixpath.join(self._workspace, file)):
                    in_the_way = file
                self._add(Entrance(tree.path, True, in_the_way, folder, is_linked=True))

    def _add(self, place: Entrance) -> None:
        if place.path in self._paths:
            return
        self._paths.add(place.path)
        if len(self._paths) > MOST:
            self.places.append(place._replace(is_counted=False, in_the_way=""))
            return
        self.places.append(place)
        if not place.in_the_way and (index := self._index(place)) is not None:
            self.waiting.append((place.path, index))

    def _index(self, place: Entrance) -> Index | None:
        """The index of the repository at `place`; None if none is there, or its own folder is of an unusual form."""
        own = hosts_own(self._workspace, place.kept_in, f"{place.path}/.git")
        if own:
            common = posixpath.dirname(place.kept_in) if place.is_linked else own
            return Index(own, common)
        folder = posixpath.join(self._workspace, place.path, ".git")
        is_folder = os.path.isdir(folder) and os.path.realpath(folder) == folder
        return Index(folder, folder) if is_folder else None


def hosts_own(workspace: str, kept_in: str, path: str) -> str:
    """The repository to which `path`, the ``lib/.git`` of a submodule or linked work tree, leads, if no program inside
    can write that one; else ''.

    That is so if it is a file that names a folder below `kept_in`, where git on the host keeps such repositories. The
    answer only holds while nothing runs inside.
    """
    full = posixpath.join(workspace, path)
    if not kept_in or os.path.realpath(full) != full:
        return ""
    try:
        with beneath.open_folder(posixpath.dirname(full)) as folder:
            text = beneath.read_text(folder, ".git") or ""
    except (OSError, SandboxdError):
        return ""
    named = text.removeprefix("gitdir: ").removesuffix("\n")
    if not text.startswith("gitdir: ") or "\n" in named or "\0" in named:
        return ""
    repository = posixpath.normpath(posixpath.join(posixpath.dirname(full), named))
    is_kept = repository.startswith(posixpath.join(kept_in, ""))
    is_plain = repository == os.path.realpath(repository) and os.path.isdir(repository)
    return repository if is_kept and is_plain else ""


def _in_the_way(workspace: str, path: str) -> str:
    part = ""
    for name in path.split("/"):
        part = posixpath.join(part, name)
        try:
            if not stat.S_ISDIR(os.lstat(posixpath.join(workspace, part)).st_mode):
                return part
        except OSError:
            return ""
    return ""
