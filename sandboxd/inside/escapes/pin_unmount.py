"""Unmount a pin in a namespace of our own: below it lies the writable workspace.

Or the folder that was the mount point can now be moved away, and another one made in its place.
"""

from __future__ import annotations

from typing import Any

from sandboxd.inside.escapes._kernel import MNT_DETACH, MS_PRIVATE, MS_REC, call, mount, own_mounts
from sandboxd.inside.escapes._pins import each_target, movable, overwrite, pinned_files

TITLE = "unmount a pin in an own namespace"
JUDGE = "workspace"
EXPECTED = {"runc": "no new namespace, or a locked mount", "runsc": "a locked mount"}


def attempt(facts: dict[str, Any]) -> dict[str, Any]:
    targets = pinned_files(facts, "pin-unmount")
    own_mounts()
    # Private propagation, so that our mounts do not affect the container's.
    mount("", "/", "", MS_REC | MS_PRIVATE)
    for pin in facts["pins"]:
        try:
            call("umount2", pin["inside"].encode(), MNT_DETACH)
        except OSError:
            continue
    try:
        return {"detail": "moved", "movable": movable(facts)}
    except OSError:
        return each_target(targets, overwrite)
