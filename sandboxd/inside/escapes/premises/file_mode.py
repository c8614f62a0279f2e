"""The mode of a file that is bound read-only cannot be set, nor that of one in a read-only folder.

Attack: `chmod`, as it is and after a remount in a mount namespace of one's own. Where it fails, a file is
pinned whole; where it does not, the plan says what stays open, since no volume can stand for a file.

Seen: with directfs on, runsc 20240729 sets the mode of the host's file, 644 to 666; with
`--directfs=false` it is refused.
"""

from __future__ import annotations

import contextlib
import os
from typing import Any

from sandboxd.inside.escapes._kernel import MS_BIND, MS_REMOUNT, mount, own_mounts
from sandboxd.inside.escapes._users import as_each_user

TITLE = "the mode of a read-only file cannot be set"
PLAN = ("files are pinned by plain read-only binds", "the plan names files whose mode can be set")

_MODE = 0o640


def attempt(facts: dict[str, Any]) -> dict[str, Any]:
    targets = {facts["file"]: facts["file"]}
    targets[facts["folder"]] = os.path.join(facts["folder"], "file_mode")

    def set_mode() -> None:
        for path in targets.values():
            with contextlib.suppress(OSError):
                os.chmod(path, _MODE)
        own_mounts()
        for target, path in targets.items():
            with contextlib.suppress(OSError):
                mount("", target, "", MS_REMOUNT | MS_BIND)
                os.chmod(path, _MODE)

    as_each_user(set_mode)
    return {"detail": ""}


def judge(inside: dict[str, Any], outside: dict[str, Any]) -> tuple[bool, str]:
    files = outside["files"]
    names = {"file": "a file's own bind", "file_mode": "a file in a folder"}
    modes = [words for name, words in names.items() if files[name]["mode_changed"]]
    if modes:
        return False, f"the mode on the host was set: {', '.join(modes)}"
    if inside["state"] != "done":
        return False, str(inside.get("detail", ""))
    return True, "the modes on the host are as they were"
