"""Fill the host's disk: the workspace, and a root file system without a size, are its space.

Nothing is filled; a place that can be written and is no memory file system is enough.
"""

from __future__ import annotations

import os
from typing import Any

from sandboxd.escapes._kernel import read_text

TITLE = "fill the host's disk"
JUDGE = "open"
EXPECTED = {"runc": "quota, read-only root", "runsc": "quota, read-only root"}
DECLARED = {
    "*": "the engine's storage has no quotas here, and the workspace is a folder of the host",
}


def attempt(facts: dict[str, Any]) -> dict[str, Any]:
    kinds = {}
    for line in read_text("/proc/self/mounts").splitlines():
        fields = line.split(" ")
        kinds[fields[1]] = fields[2]
    found = []
    for path in ("/", "/tmp", "/var/tmp", os.path.expanduser("~"), facts["workspace"]):
        if path and os.access(path, os.W_OK) and _kind(path, kinds) != "tmpfs":
            found.append(path)
    if facts["limits"]["root"]:
        found = [path for path in found if path == facts["workspace"]]
    if not found:
        raise OSError("nothing that can be written lies on a disk without a quota")
    return {"detail": "no quota at " + ", ".join(dict.fromkeys(found))}


def _kind(path: str, kinds: dict[str, str]) -> str:
    """The type of the file system that `path` lies on."""
    while path not in kinds and path != "/":
        path = os.path.dirname(path)
    return kinds.get(path, "")
