"""Shared by the attempts on pinned files: the scratch files that `verify` made for each of them."""

from __future__ import annotations

import errno
import os
from collections.abc import Callable, Iterable
from typing import Any

from sandboxd.inside.escapes._kernel import NotApplicable


def pinned_files(facts: dict[str, Any], attempt: str) -> list[str]:
    """The attempt's own scratch file in each pin.

    :raises NotApplicable: there is no workspace to attack
    """
    if not facts["pins"]:
        raise NotApplicable("no folder of the workspace could take a scratch file")
    return [os.path.join(pin["scratch"], attempt) for pin in facts["pins"]]


def each_target(paths: Iterable[str], act: Callable[[str], None]) -> dict[str, Any]:
    """Act on every path; the host judges the effect, so an error on one stops nothing.

    :raises OSError: all failed; the last error
    """
    done = []
    last = OSError("nothing to act on")
    for path in paths:
        try:
            act(path)
            done.append(path)
        except OSError as error:
            last = error
    if not done:
        raise last
    return {"detail": "no error at " + ", ".join(done)}


def movable(facts: dict[str, Any], workspace: int = -1) -> list[str]:
    """Control folders that this kernel would move away.

    To change nothing, each is renamed onto a folder that is not empty: a kernel that checks no
    mount point on the way says so only then.

    :param workspace: its open folder, where it has no path any more; -1 where it has one
    :raises OSError: none would be moved; the last error
    """
    folders = []
    last = OSError(errno.EBUSY, "mount point")
    for move in facts["movable"]:
        paths = move["folder"], move["onto"]
        if workspace >= 0:
            start = len(facts["workspace"]) + 1
            paths = paths[0][start:], paths[1][start:]
        root = workspace if workspace >= 0 else None
        try:
            os.rename(*paths, src_dir_fd=root, dst_dir_fd=root)
        except OSError as error:
            if error.errno in (errno.ENOTEMPTY, errno.EEXIST):
                folders.append(move["folder"])
            else:
                last = error
    if not folders:
        raise last
    return folders


def overwrite(path: str) -> None:
    """Put other bytes into a file without truncating it."""
    descriptor = os.open(path, os.O_WRONLY)
    try:
        os.write(descriptor, b"OVERWRITTEN")
    finally:
        os.close(descriptor)
