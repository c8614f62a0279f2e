"""Judges where a symbolic link of a review leads, step by step as the kernel would, before it is created.

A path is no text: `a/d/../..` is elsewhere once `d` is a link. What is no folder of the host can become a link by
this review or a later one, so no link that we create goes up from it. Then each of them stays in the workspace,
whatever others are created beside it."""

from __future__ import annotations

import contextlib
import os
import posixpath
import stat

from sandboxd.errors import SandboxdError
from sandboxd.plan import beneath
from sandboxd.policy.acts_on_host import weigh

_MOST_LINKS = 40
"""As many as Linux follows."""

_OUT = "a symbolic link out of the workspace"


def reason_against(root: int, path: str, target: bytes) -> str:
    """The reason why the link `path` to `target` is never created; '' if it leads into the workspace.

    :param root: the open folder of the workspace
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
