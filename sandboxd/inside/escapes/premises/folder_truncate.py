"""A file of a folder that is bound read-only cannot be emptied.

Attack: open it with O_TRUNC, for reading and for writing, as root and as a user without rights. Where that
fails, a plain read-only bind is enough to pin a folder; where it does not, the folder is pinned by a volume
that the engine itself makes read-only, or a runtime without directfs is used.

Seen: with directfs on, runsc 20240729 empties the host's file, with or without an error;
release-20260817 does not.
"""

from __future__ import annotations

import contextlib
import os
from typing import Any

from sandboxd.inside.escapes._users import as_each_user

TITLE = "a file of a read-only folder cannot be emptied"
PLAN = ("folders are pinned by plain read-only binds", "folders are pinned by volumes")


def attempt(facts: dict[str, Any]) -> dict[str, Any]:
    path = os.path.join(facts["folder"], "folder_truncate")

    def empty() -> None:
        for flags in (os.O_RDONLY, os.O_WRONLY):
            with contextlib.suppress(OSError):
                os.close(os.open(path, flags | os.O_TRUNC))

    as_each_user(empty)
    return {"detail": ""}


def judge(inside: dict[str, Any], outside: dict[str, Any]) -> tuple[bool, str]:
    if outside["files"]["folder_truncate"]["changed"]:
        return False, "the host's file was emptied"
    if inside["state"] != "done":
        return False, str(inside.get("detail", ""))
    return True, "the host's file is as it was"
