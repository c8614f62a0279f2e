"""A linked work tree of git: its repository lies elsewhere, in the `.git` of its main work tree.

The file `.git` of a workspace may name any folder of the host. The folder counts as the repository only if it names
this workspace in turn: a hostile workspace cannot write that, so the user's own git linked the two.
"""

from __future__ import annotations

import contextlib
import os
import posixpath
import stat
from typing import NamedTuple

from sandboxd.errors import SandboxdError
from sandboxd.model.paths import lies_in, overlap
from sandboxd.plan import beneath

_LONGEST = 4096
_MOST = 1000
_NOT_TO_COVER = frozenset({"dev", "proc", "sandboxd", "sys"})
"""Top-level folders inside at which nothing is mounted by a path from the file `.git`."""


class LinkedWorktree(NamedTuple):
    """The repository of a linked work tree.

    `common` is the absolute path of the repository's own folder; `name` is the name of this work tree in its folder
    `worktrees`; `named` is `common` as the file `.git` writes it: absolute, or relative to the workspace.
    """

    common: str
    name: str
    named: str


def linked_worktree(workspace: str) -> LinkedWorktree | None:
    """The repository of `workspace`, an absolute path without links; None if it is not a linked work tree."""
    written = _line(workspace, ".git").removeprefix("gitdir: ")
    if not written:
        return None
    own = os.path.normpath(os.path.join(workspace, written))
    common, name = posixpath.dirname(posixpath.dirname(own)), posixpath.basename(own)
    is_ours = (
        own == os.path.realpath(own)
        and posixpath.dirname(own) == posixpath.join(common, "worktrees")
        and not lies_in(common, workspace)
        and _same_owner(workspace, own, common)
        and all(_is_folder(posixpath.join(common, part)) for part in ("objects", "refs"))
    )
    if not is_ours:
        return None
    back = os.path.normpath(os.path.join(own, _line(own, "gitdir")))
    to_common = os.path.normpath(os.path.join(own, _line(own, "commondir")))
    if (back, to_common) != (posixpath.join(workspace, ".git"), common):
        return None
    return LinkedWorktree(
        common, name, posixpath.dirname(posixpath.dirname(posixpath.normpath(written)))
    )


def separate_repository(workspace: str) -> str:
    """The absolute path of the git directory that the file `.git` of `workspace` names, if that is no linked work tree;
    '' for none.

    So it is in a submodule, after `git init --separate-git-dir`, and where the work trees of a bare clone lie beside it.
    Anybody may have written the file: the folder is good for nothing but to find what git on the host acts upon.
    """
    line = _line(workspace, ".git")
    written = line.removeprefix("gitdir: ")
    if written == line or linked_worktree(workspace) is not None:
        return ""
    own = os.path.normpath(os.path.join(workspace, written))
    is_one = all(_is_folder(posixpath.join(own, part)) for part in ("objects", "refs"))
    return own if is_one and own == os.path.realpath(own) else ""


class WorkTree(NamedTuple):
    """A linked work tree within a workspace: its path there, and its own git directory, an absolute path."""

    path: str
    own: str


def work_tree_folders(common: str) -> tuple[str, ...]:
    """The git directories of all linked work trees of a repository, absolute paths; of very many the first by name.

    :param common: the repository's own folder, an absolute path
    """
    folder = posixpath.join(common, "worktrees")
    with contextlib.suppress(OSError):
        return tuple(posixpath.join(folder, name) for name in sorted(os.listdir(folder))[:_MOST])
    return ()


def work_trees_below(workspace: str, common: str) -> tuple[WorkTree, ...]:
    """The linked work trees of the repository in `common` that are in `workspace`, of those of `work_tree_folders`.

    :param workspace: an absolute path without links
    :param common: the repository's own folder, an absolute path
    """
    trees: dict[str, str] = {}
    for own in work_tree_folders(common):
        place = posixpath.dirname(os.path.normpath(os.path.join(own, _line(own, "gitdir"))))
        # The user may be in the workspace by a path with links.
        for path in (place, os.path.realpath(place)):
            if path.startswith(f"{workspace}/") and not lies_in(path, common):
                trees[posixpath.relpath(path, workspace)] = own
    return tuple(WorkTree(*tree) for tree in trees.items())


def path_inside(target: str, linked: LinkedWorktree) -> str:
    """The path at which git inside looks for the repository of the work tree at `target`; '' if nothing may be mounted
    there.
    """
    path = posixpath.normpath(posixpath.join(target, linked.named))
    return (
        ""
        if overlap(path, target) or path.count("/") < 2 or path.split("/")[1] in _NOT_TO_COVER
        else path
    )


def repository_folder(workspace: str) -> str:
    """The folder whose `.git` is the repository of `workspace`: the workspace itself, or its main work tree."""
    linked = linked_worktree(workspace)
    if linked is None or posixpath.basename(linked.common) != ".git":
        return workspace
    return posixpath.dirname(linked.common)


def work_tree_above(workspace: str) -> str:
    """The absolute path of the work tree that `workspace`, an absolute path without links, is a folder of, as in a
    monorepo; '' for none.
    """
    folder = posixpath.dirname(workspace)
    while folder not in ("", "/"):
        own = posixpath.join(folder, ".git")
        if all(_is_folder(posixpath.join(own, part)) for part in ("objects", "refs")):
            return folder
        if linked_worktree(folder) is not None or separate_repository(folder):
            return folder
        folder = posixpath.dirname(folder)
    return ""


def _line(folder: str, name: str) -> str:
    """The content of a regular file of one short line; '' for anything else."""
    with contextlib.suppress(OSError, SandboxdError), beneath.open_folder(folder) as root:
        text = beneath.read_text(root, name) or ""
        line = text.removesuffix("\n")
        if len(line) <= _LONGEST and "\n" not in line and "\0" not in line:
            return line
    return ""


def _same_owner(*paths: str) -> bool:
    try:
        return len({os.lstat(path).st_uid for path in paths}) == 1
    except OSError:
        return False


def _is_folder(path: str) -> bool:
    try:
        return stat.S_ISDIR(os.lstat(path).st_mode)
    except OSError:
        return False
