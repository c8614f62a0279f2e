"""Change programs of the image for whoever runs them next: the root file system is to be read-only.

How it is mounted counts, and not that a file cannot be made: to an ordinary user most folders are closed anyway.
"""

from __future__ import annotations

import os
from typing import Any

from sandboxd.inside.escapes._kernel import Unable, read_text

TITLE = "find a root file system that can be written"
JUDGE = "open"
CLUSTER = "only"
EXPECTED = {"runc": "mounted read-only", "runsc": "mounted read-only"}
REMEDY = "something of the cluster took `readOnlyRootFilesystem` away: `sandboxd drift` names what was changed"


def attempt(facts: dict[str, Any]) -> dict[str, Any]:
    options = ""
    for line in read_text("/proc/self/mounts", 1 << 20).splitlines():
        fields = line.split(" ")
        if len(fields) > 3 and fields[1] == "/":
            options = fields[3]
    if not options:
        raise Unable("the kernel does not show how it is mounted")
    if "ro" not in options.split(",") or not os.statvfs("/").f_flag & os.ST_RDONLY:
        return {"detail": "it is mounted for writing"}
    raise OSError("it is mounted read-only")
