"""The repositories of submodules, which are in the folder `modules` of the git directory of their work tree."""

from __future__ import annotations

import contextlib
import os
import re
from collections.abc import Iterator
from typing import NamedTuple

from sandboxd.errors import SandboxdError
from sandboxd.plan import beneath
from sandboxd.plan.git_objects import ObjectFolder, object_folders
from sandboxd.syntax import git_config

_MOST = 32
_MOST_FOLDERS = 500
# A path inside is a field of a mount, which tools split at commas, and of a list of lines.
_PLAIN = re.compile(r"[A-Za-z0-9_./+@-]+")


class Module(NamedTuple):
    """The repository of a submodule.

    `path` is its folder relative to the git directory, such as ``modules/lib``, and `common` the same as an absolute
    path on the host. `worktree` is its work tree within the workspace, `objects` its folder of objects on the host.
    """

    path: str
    common: str
    worktree: str
    objects: ObjectFolder


class Modules(NamedTuple):
    """The submodules' repositories that are available inside, and the paths of those that are not."""

    modules: tuple[Module, ...] = ()
    refused: tuple[str, ...] = ()


def find_modules(workspace: str, own: str) -> Modules:
    """Find the submodules' repositories of the work tree `workspace`; no link is followed.

    :param workspace: an absolute path
    :param own: the work tree's git directory, an absolute path
    """
    modules: list[Module] = []
    refused: list[str] = []
    for path in _repositories(own):
        folder = os.path.join(own, path)
        worktree = _worktree(workspace, folder)
        objects = object_folders(workspace, folder)
        # One that reads objects of others would miss them.
        plain = _PLAIN.fullmatch(path) and len(objects.folders) == 1 and not objects.refused
        if plain and worktree and len(modules) < _MOST:
            modules.append(Module(path, folder, worktree, objects.folders[0]))
        else:
            refused.append(path)
    return Modules(tuple(modules), tuple(refused))


def _repositories(own: str) -> Iterator[str]:
    """The paths of repositories below `modules`: their names may have slashes, and they nest."""
    waiting = ["modules"]
    left = _MOST_FOLDERS
    while waiting and left:
        left -= 1
        path = waiting.pop(0)
        names = _folders(os.path.join(own, path))
        if {"objects", "refs"} <= set(names) and _is_file(os.path.join(own, path, "HEAD")):
            yield path
            names = [name for name in names if name == "modules"]
        waiting += [f"{path}/{name}" for name in names]


def _worktree(workspace: str, folder: str) -> str:
    """The work tree of the submodule in `folder`, within the workspace; '' for one elsewhere."""
    text: str | None = None
    with contextlib.suppress(OSError, SandboxdError), beneath.open_folder(folder) as root:
        text = beneath.read_text(root, "config")
    entries = git_config.parse(text or "").entries
    values = [entry.value for entry in entries if entry.name == "core.worktree" and entry.value]
    if not values or "\0" in values[-1]:
        return ""
    path = os.path.normpath(os.path.join(folder, values[-1]))
    prefix = workspace.rstrip("/") + "/"
    return path[len(prefix) :] if path.startswith(prefix) else ""


def _folders(path: str) -> list[str]:
    try:
        if os.path.islink(path):
            return []
        with os.scandir(path) as entries:
            return sorted(e.name for e in entries if e.is_dir(follow_symlinks=False))
    except OSError:
        return []


def _is_file(path: str) -> bool:
    return os.path.isfile(path) and not os.path.islink(path)
