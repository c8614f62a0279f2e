"""Mount a fresh /proc, without the engine's masks, and open core_pattern for writing in it."""

from __future__ import annotations

import os
from typing import Any

from sandboxd.inside.escapes._kernel import MNT_DETACH, call, mount, scratch_folder

TITLE = "mount a fresh /proc and open core_pattern"
JUDGE = "kernel"
EXPECTED = {"runc": "no SYS_ADMIN", "runsc": "gVisor's own /proc"}


def attempt(facts: dict[str, Any]) -> dict[str, Any]:
    folder = scratch_folder()
    try:
        mount("proc", folder, "proc")
        try:
            os.close(os.open(folder + "/sys/kernel/core_pattern", os.O_WRONLY))
        finally:
            call("umount2", folder.encode(), MNT_DETACH)
    finally:
        os.rmdir(folder)
    return {"detail": "core_pattern opens for writing"}
