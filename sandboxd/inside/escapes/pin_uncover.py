"""Mount the workspace a second time without what is mounted in it, and write below the pins."""

from __future__ import annotations

import os
from typing import Any

from sandboxd.inside.escapes._kernel import (
    MNT_DETACH,
    MS_BIND,
    NotApplicable,
    call,
    mount,
    own_mounts,
    scratch_folder,
)
from sandboxd.inside.escapes._pins import each_target, overwrite, pinned_files

TITLE = "write below a pin by a second mount of the workspace"
JUDGE = "workspace"
EXPECTED = {
    "runc": "no new namespace, or a locked mount",
    "runsc": "gVisor binds mounts with what is in them",
}


def attempt(facts: dict[str, Any]) -> dict[str, Any]:
    targets = pinned_files(facts, "pin-uncover")
    workspace = facts["workspace"]
    if not workspace:
        raise NotApplicable("no workspace is mounted")
    folder = scratch_folder()
    try:
        own_mounts()
        mount(workspace, folder, "", MS_BIND)
        try:
            return each_target([folder + path[len(workspace) :] for path in targets], overwrite)
        finally:
            call("umount2", folder.encode(), MNT_DETACH)
    finally:
        os.rmdir(folder)
