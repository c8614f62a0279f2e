"""Mount a file system in the mount namespace that the process is in: SYS_ADMIN at work."""

from __future__ import annotations

import os
from typing import Any

from sandboxd.inside.escapes._kernel import MNT_DETACH, call, mount, scratch_folder

TITLE = "mount a file system in the host's namespace"
JUDGE = "namespace"
NAMESPACE = "mnt"
EXPECTED = {"runc": "no SYS_ADMIN", "runsc": "no SYS_ADMIN, or gVisor's own"}


def attempt(facts: dict[str, Any]) -> dict[str, Any]:
    folder = scratch_folder()
    try:
        mount("none", folder, "tmpfs")
        call("umount2", folder.encode(), MNT_DETACH)
    finally:
        os.rmdir(folder)
    return {"detail": "mounted a tmpfs"}
