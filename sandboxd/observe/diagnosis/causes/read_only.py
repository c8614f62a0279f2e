"""Paths that are read-only, or that cannot be moved since something is mounted on them."""

from __future__ import annotations

import posixpath
import re
from typing import TYPE_CHECKING

from sandboxd.observe.diagnosis.case import Answer, find_line

if TYPE_CHECKING:
    from collections.abc import Iterator

    from sandboxd.observe.diagnosis.case import Failure, Sandbox

# strerror(3) of EROFS and EBUSY with the path before it, as the shell and coreutils write it, or behind it, as Python
# and Node.js do.
_PATH_BEFORE = re.compile(
    r"(?:^|[ '‘`\"])([^ '’`\":]+)['’`\"]?(?: to '[^']*')?: (Read-only file system|Device or resource busy)"
)
_PATH_BEHIND = re.compile(
    r"(Read-only file system|Device or resource busy|EROFS: read-only file system|EBUSY: resource busy or locked)"
    r"(?:, \w+)?:? '([^'`]+)'"
)
_OF_THE_KERNEL = ("/proc/", "/sys/")
"""`kernel_settings` answers about these."""
_ON_THE_HOST = (
    "change it on the host: tools there act upon this file, so a program inside must not write it"
)


def find(failure: Failure, sandbox: Sandbox) -> Iterator[Answer]:
    """An answer where the words are those of a read-only file system, and the path is on one."""
    before, behind = find_line(failure, _PATH_BEFORE), find_line(failure, _PATH_BEHIND)
    if before is not None:
        path, is_busy = before[1], "busy" in before[2]
    elif behind is not None:
        path, is_busy = behind[2], "busy" in behind[1]
    else:
        return
    full = posixpath.normpath(posixpath.join(failure.folder or "/", path))
    if full.startswith(_OF_THE_KERNEL):
        return
    mount = sandbox.mount_at(full)
    if mount is None:
        root = sandbox.container.read_only_rootfs
        if not is_busy and root is not None and root.value:
            because = f"`{path}` is on the root file system, which is read-only"
            decided_by = sandbox.decided_by("read_only_rootfs")
            change = "write below the home folder or `/tmp`, or choose the profile `agent`"
            yield Answer("read-only root", because, decided_by, change, "", is_certain=True)
        return
    if is_busy:
        if mount.target != full:
            return
        because = f"`{path}` is a mount, which cannot be moved or removed inside"
    elif mount.read_only:
        because = f"`{path}` is read-only inside"
    else:
        return
    decided_by = sandbox.decided_by("mounts", mount.target)
    yield Answer("read-only files", because, decided_by, _ON_THE_HOST, "", is_certain=True)
