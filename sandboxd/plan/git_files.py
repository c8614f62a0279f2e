"""Looks at the files of repositories below a workspace, which a program inside may have made."""

from __future__ import annotations

import os
import posixpath
import stat
from collections.abc import Iterator

_MOST_LINKS = 40
"""The same limit as the kernel's."""


def kind(workspace: str, path: str) -> str:
    """``folder``, ``file``, or '' for anything else and for nothing."""
    try:
        mode = os.lstat(os.path.join(workspace, path)).st_mode
    except (OSError, ValueError):
        return ""
    return "folder" if stat.S_ISDIR(mode) else "file" if stat.S_ISREG(mode) else ""


def is_repository(workspace: str, folder: str) -> bool:
    """Whether git would take a folder of the workspace for a git directory."""
    kinds = [kind(workspace, posixpath.join(folder, name)) for name in ("HEAD", "objects", "refs")]
    return kinds == ["file", "folder", "folder"]


def folders(workspace: str, path: str) -> list[str]:
    """The folders in `path`, sorted; none where it is a link or missing."""
    if kind(workspace, path) != "folder":
        return []
    try:
        with os.scandir(os.path.join(workspace, path)) as entries:
            return sorted(e.name for e in entries if e.is_dir(follow_symlinks=False))
    except OSError:
        return []


def ways_of(path: str) -> list[str]:
    """The absolute paths to which `path` leads, one link after the other and the real one last; none if it is no link."""
    real = os.path.realpath(path)
    ways = [os.path.normpath(written) for written in _links_at(path)]
    # A path of a link may go up from a folder that is one itself.
    if ways and real not in ways:
        ways.append(real)
    return ways


def left_upwards(path: str) -> list[str]:
    """The absolute folders from which an absolute path goes up by `..`, in its order."""
    at, folders = "/", []
    for part in path.split("/"):
        if part == "..":
            folders.append(at)
        at = os.path.normpath(posixpath.join(at, part))
    return folders


def ways_up(path: str) -> list[str]:
    """The absolute folders from which the links at `path`, followed one after the other, go up by `..`."""
    return [folder for written in _links_at(path) for folder in left_upwards(written)]


def _links_at(path: str) -> Iterator[str]:
    """Where the links at `path`, followed one after the other, lead: absolute paths, each with the `..` of its link."""
    for _ in range(_MOST_LINKS):
        try:
            written = os.readlink(path)
        except OSError:
            return  # no link, by now
        written = os.path.join(os.path.realpath(os.path.dirname(path)), written)
        yield written
        path = os.path.normpath(written)
