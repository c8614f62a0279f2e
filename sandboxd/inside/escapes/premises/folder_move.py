"""A folder that is pinned stays where it is, also for a program that has left the mounts behind.

Attack: open the folder above it, enter a mount namespace without any of the engine's mounts, with SYS_ADMIN
and, without any right, in a user namespace; then rename it. The host's kernel refuses that to the gofer, which
has the mounts in its namespace. With directfs on, the sentry renames by itself and has none of them.

Seen: with directfs on, the folder is renamed under runsc 20240729; with `--directfs=false` it is refused.
"""

from __future__ import annotations

import os
from typing import Any

from sandboxd.inside.escapes._kernel import leave_mounts
from sandboxd.inside.escapes._users import as_each_user

TITLE = "a pinned folder cannot be moved away"
PLAN = (
    "pins hold whatever runs inside",
    "pins hold where a filter stops mounts in `exec`, and else the plan says so",
)


def attempt(facts: dict[str, Any]) -> dict[str, Any]:
    above, name = os.path.split(facts["pinned"])

    def move() -> None:
        folder = os.open(above, os.O_RDONLY | os.O_DIRECTORY)
        leave_mounts()
        os.rename(name, name + ".moved", src_dir_fd=folder, dst_dir_fd=folder)

    as_each_user(move)
    return {"detail": ""}


def judge(inside: dict[str, Any], outside: dict[str, Any]) -> tuple[bool, str]:
    if outside["moved"]:
        return False, "the host's folder was moved"
    if inside["state"] != "done":
        return False, str(inside.get("detail", ""))
    return True, "the host's folder is where it was"
