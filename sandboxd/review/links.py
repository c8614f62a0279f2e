"""Checks where a symbolic link from a review leads before it is created, step by step as the kernel resolves it.

The text of a path is not enough: `a/d/../..` leads elsewhere once `d` is a link. A path that is not a folder on the
host could become a link by this review or a later one, so links that go up (``..``) from such a path are refused. So
each link stays in the workspace, whichever others are created.
"""

from __future__ import annotations

import contextlib
import os
import posixpath
import stat

from sandboxd.errors import SandboxdError
from sandboxd.plan import beneath
from sandboxd.policy.acts_on_host import weigh

_MOST_LINKS = 40
"""Linux follows as many."""

_OUT = "a symbolic link out of the workspace"


def reason_against(root: int, path: str, target: bytes) -> str:
    """The reason why a link at `path` to `target` must not be created; '' if it leads into the workspace.

    :param root: a descriptor of the workspace's folder
    """
    if not target or b"\0" in target or target.startswith(b"/"):
        return _OUT
    folder, steps, followed = path.split("/")[:-1], _steps(target), 0
    while steps:
        step = steps.pop(0)
        if step == "..":
            if not folder:
                return _OUT
            folder.pop()
            continue
        folder.append(step)
        mode, link = _look(root, "/".join(folder))
        if link:
            followed += 1
            if link.startswith(b"/") or followed > _MOST_LINKS:
                return _OUT
        if steps[:1] == [".."] and not stat.S_ISDIR(mode):
            return (
                f"a symbolic link that goes up from `{'/'.join(folder)}`, which is no folder here"
            )
        if link:
            folder.pop()
            steps = _steps(link) + steps
    return "a symbolic link into git's own folder" if weigh("/".join(folder))[0] == "never" else ""


def _steps(target: bytes) -> list[str]:
    return [part for part in os.fsdecode(target).split("/") if part not in ("", ".")]


def _look(root: int, path: str) -> tuple[int, bytes]:
    """Mode of `path` on the host, 0 where nothing is there, and where it leads if it is a link."""
    name = posixpath.basename(path)
    with (
        contextlib.suppress(OSError, SandboxdError),
        beneath.parent_of(root, path, create=False) as folder,
    ):
        mode = os.lstat(name, dir_fd=folder).st_mode
        return mode, os.readlink(os.fsencode(name), dir_fd=folder) if stat.S_ISLNK(mode) else b""
    return 0, b""
