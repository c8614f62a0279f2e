"""Fill the host's disk: the workspace, volumes and a root file system without a size are its space.

A volume that only the image asks for (`VOLUME`) is one more folder on the host's disk.

Nothing is filled; a place that can be written and is no memory file system is enough.
"""

from __future__ import annotations

import os
from typing import Any

from sandboxd.inside.escapes._kernel import read_text

TITLE = "fill the host's disk"
JUDGE = "open"
CLUSTER = "the sizes of volumes are kept by the kubelet, which evicts what is over them"
EXPECTED = {"runc": "quota, read-only root", "runsc": "quota, read-only root"}
# Memory, and what the kernel shows of itself.
_NOT_A_DISK = frozenset(
    ("tmpfs", "ramfs", "proc", "sysfs", "devpts", "devtmpfs", "mqueue", "cgroup", "cgroup2")
)
_WHY = "the engine's storage has no quotas here, and the workspace is a folder of the host"
# Not of `review` and `untrusted`, where nothing on a disk can be written.
DECLARED = {"trusted": _WHY, "dev": _WHY, "agent": _WHY, "seed-baseline": _WHY}


def attempt(facts: dict[str, Any]) -> dict[str, Any]:
    kinds = {}
    for line in read_text("/proc/self/mounts").splitlines():
        fields = line.split(" ")
        kinds[fields[1]] = fields[2]
    places_without_quota = []
    places = ("/", "/tmp", "/var/tmp", os.path.expanduser("~"), facts["workspace"])
    for path in (*places, *sorted(kinds)):
        if path and _is_room(path) and _kind(path, kinds) not in _NOT_A_DISK:
            places_without_quota.append(path)
    if facts["limits"]["root"]:
        places_without_quota = [
            path
            for path in places_without_quota
            if path == facts["workspace"] or (path in kinds and path != "/")
        ]
    # In the sandbox these are volumes, which have no size.
    places_without_quota += facts.get("volumes", [])
    if not places_without_quota:
        raise OSError("nothing that can be written lies on a disk without a quota")
    return {"detail": "no quota at " + ", ".join(dict.fromkeys(places_without_quota))}


def _is_room(path: str) -> bool:
    """Whether files can be made in `path`: a file that is mounted alone is no room for more."""
    return os.path.isdir(path) and os.access(path, os.W_OK)


def _kind(path: str, kinds: dict[str, str]) -> str:
    """The type of the file system that `path` lies on."""
    while path not in kinds and path != "/":
        path = os.path.dirname(path)
    return kinds.get(path, "")
