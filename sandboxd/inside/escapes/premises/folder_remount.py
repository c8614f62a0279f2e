"""A folder that is bound read-only cannot be mounted writable again and written to.

Attack: remount it read-write in a mount namespace of one's own, with SYS_ADMIN and, without any right, in a
user namespace; then write to a file in it. Linux locks the flag of mounts that a user namespace inherits.
Where that fails, a plain read-only bind is enough to pin a folder.

Seen: with directfs on, the remount and the write succeed under runsc 20240729; under release-20260817 they
are refused.
"""

from __future__ import annotations

import contextlib
import os
from typing import Any

from sandboxd.inside.escapes._kernel import MS_BIND, MS_REMOUNT, mount, own_mounts
from sandboxd.inside.escapes._users import as_each_user

TITLE = "a read-only folder cannot be mounted writable"
PLAN = ("folders are pinned by plain read-only binds", "folders are pinned by volumes")


def attempt(facts: dict[str, Any]) -> dict[str, Any]:
    folder = facts["folder"]

    def write() -> None:
        own_mounts()
        with contextlib.suppress(OSError):
            mount("", folder, "", MS_REMOUNT | MS_BIND)
        descriptor = os.open(os.path.join(folder, "folder_remount"), os.O_WRONLY)
        os.write(descriptor, b"OVERWRITTEN")

    as_each_user(write)
    return {"detail": ""}


def judge(inside: dict[str, Any], outside: dict[str, Any]) -> tuple[bool, str]:
    if outside["files"]["folder_remount"]["changed"]:
        return False, "the host's file was written to"
    if inside["state"] != "done":
        return False, str(inside.get("detail", ""))
    return True, "the host's file is as it was"
