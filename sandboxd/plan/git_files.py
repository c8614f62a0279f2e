"""Looks at the files of repositories below a workspace, which a program inside may have made."""

from __future__ import annotations

import os
import posixpath
import stat


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
