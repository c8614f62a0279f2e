"""Finds folders on network file systems: for these the kernel reports only changes that this machine makes."""

from __future__ import annotations

import os
from collections.abc import Iterable

_TYPES = frozenset(
    {
        *("9p", "afs", "ceph", "cifs", "drvfs", "fuse", "glusterfs", "lustre", "ncpfs", "nfs"),
        *("nfs4", "prl_fs", "smb3", "smbfs", "vboxsf", "virtiofs", "vmhgfs"),
    }
)


def networked(paths: Iterable[str], mounts: str) -> set[str]:
    """The members of `paths` that lie on a network file system.

    :param mounts: the content of /proc/self/mountinfo
    """
    points = dict(_points(mounts))
    return {path for path in paths if _is_networked(path, points)}


def networked_now(paths: Iterable[str]) -> set[str]:
    """As `networked`, with the present mounts of this process."""
    return networked(paths, read_mounts())


def read_mounts() -> str:
    """The content of /proc/self/mountinfo; '' where the system has none."""
    try:
        with open("/proc/self/mountinfo", encoding="utf-8", errors="surrogateescape") as file:
            return file.read()
    except OSError:
        return ""


def _points(mounts: str) -> Iterable[tuple[str, bool]]:
    for line in mounts.splitlines():
        before, separator, after = line.partition(" - ")
        fields = before.split(" ")
        if not separator or len(fields) < 5:
            continue
        kind = after.split(" ", 1)[0]
        point = fields[4].encode("latin-1", "replace").decode("unicode_escape", "replace")
        yield point, kind in _TYPES or kind.startswith("fuse.")


def _is_networked(path: str, points: dict[str, bool]) -> bool:
    while path not in points:
        parent = os.path.dirname(path)
        if parent == path:
            return False
        path = parent
    return points[path]
