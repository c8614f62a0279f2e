"""The folders from which git inside reads the objects of the host's repository.

A repository can name further folders of objects (`objects/info/alternates`), by any path of the host. Those in the
workspace are mounted, too. Others are not: a folder of the host is only mounted if the user says so, and a repository
that came as an archive could name that of another project.
"""

from __future__ import annotations

import contextlib
import os
import re
import stat
from typing import NamedTuple

from sandboxd.errors import SandboxdError
from sandboxd.plan import beneath

ROOT = "/sandboxd/git"
"""The folder inside below which the objects of the host are mounted."""
_OBJECTS = re.compile(rf"{ROOT}/(objects(-\d+)?|modules/.+/objects)")
_MOST = 8
_ALTERNATES = "info/alternates"


class ObjectFolder(NamedTuple):
    """A folder of objects on the host.

    `names_others`: whether it has a list of further folders; the paths in it do not exist inside.
    """

    path: str
    names_others: bool


class ObjectFolders(NamedTuple):
    """The folders to mount, the repository's own first, and the paths of named ones that are not mounted."""

    folders: tuple[ObjectFolder, ...] = ()
    refused: tuple[str, ...] = ()


def object_folders(workspace: str, common: str) -> ObjectFolders:
    """The folders of objects of the repository in `common`, an absolute path.

    :param workspace: an absolute path without links; alternates in it are mounted, too
    """
    folders: dict[str, ObjectFolder] = {}
    refused: dict[str, None] = {}
    waiting = [os.path.join(common, "objects")]
    while waiting:
        path = waiting.pop(0)
        if path in folders or path in refused:
            continue
        is_own = not folders
        if len(folders) == _MOST or not (is_own or _may_enter(workspace, path)):
            refused[path] = None
            continue
        others = _alternates(path)
        folders[path] = ObjectFolder(path, bool(others))
        waiting += others
    return ObjectFolders(tuple(folders.values()), tuple(refused))


def is_objects(target: str) -> bool:
    """Whether the folder `target` inside holds objects of the host's repository or of a submodule's."""
    return _OBJECTS.fullmatch(target) is not None


def target_of(number: int) -> str:
    """The folder inside for the folder at the position `number` in `ObjectFolders.folders`."""
    return f"{ROOT}/objects" if number == 0 else f"{ROOT}/objects-{number}"


def _may_enter(workspace: str, path: str) -> bool:
    """Whether `path` is a folder in the workspace that no link leads to or out of."""
    if not path.startswith(workspace.rstrip("/") + "/") or os.path.realpath(path) != path:
        return False
    try:
        return stat.S_ISDIR(os.lstat(path).st_mode)
    except OSError:
        return False


def _alternates(objects: str) -> list[str]:
    """The folders that the list in `objects` names, as git reads it."""
    text: str | None = None
    with (
        contextlib.suppress(OSError, SandboxdError),
        beneath.open_folder(objects) as root,
        beneath.parent_of(root, _ALTERNATES, create=False) as folder,
    ):
        text = beneath.read_text(folder, _ALTERNATES)
    lines = (line for line in (text or "").split("\n") if line and not line.startswith("#"))
    return [os.path.normpath(os.path.join(objects, line)) for line in lines if "\0" not in line]
