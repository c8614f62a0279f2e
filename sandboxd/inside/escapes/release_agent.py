"""Open a cgroup's `release_agent` for writing: the host's kernel runs that program as root.

CVE-2022-0492 and the well-known privileged-container escape: mount a version 1 hierarchy, name a
program, let a cgroup run empty. Here the file is opened and closed.
"""

from __future__ import annotations

import glob
import os
from typing import Any

from sandboxd.inside.escapes._kernel import MNT_DETACH, call, mount, read_text, scratch_folder

TITLE = "open a cgroup release_agent for writing"
JUDGE = "kernel"
EXPECTED = {"runc": "read-only cgroups, no SYS_ADMIN", "runsc": "not there"}


def attempt(facts: dict[str, Any]) -> dict[str, Any]:
    for path in glob.glob("/sys/fs/cgroup/*/release_agent"):
        try:
            os.close(os.open(path, os.O_WRONLY))
            return {"detail": f"{path} opens for writing"}
        except OSError:
            continue
    names = [line.split("\t")[0] for line in read_text("/proc/cgroups").splitlines()[1:]]
    last = OSError("no cgroup controllers")
    for name in names:
        folder = scratch_folder()
        try:
            mount("cgroup", folder, "cgroup", 0, name)
            try:
                os.close(os.open(folder + "/release_agent", os.O_WRONLY))
                return {"detail": f"mounted {name}; release_agent opens for writing"}
            finally:
                call("umount2", folder.encode(), MNT_DETACH)
        except OSError as error:
            last = error
        finally:
            os.rmdir(folder)
    raise last
