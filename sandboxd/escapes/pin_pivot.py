"""Leave the engine's mounts behind (`pivot_root`), then move what they pin by a folder that is still open.

Linux refuses to move a mount point only of the mount namespace that the process is in. In one of its own
it detaches the old root with all pins, and the folder underneath is a folder like others. gVisor's gofer has
the mounts in its own namespace, and is refused; under directfs the sentry moves files itself, and has none.
"""

from __future__ import annotations

import os
from typing import Any

from sandboxd.escapes._kernel import (
    MNT_DETACH,
    MS_PRIVATE,
    MS_REC,
    NotApplicable,
    call,
    mount,
    own_mounts,
)
from sandboxd.escapes._pins import movable

TITLE = "move a pin away from a namespace without mounts"
JUDGE = "workspace"
EXPECTED = {"runc": "no new namespace", "runsc": "the gofer is refused"}


def attempt(facts: dict[str, Any]) -> dict[str, Any]:
    if not facts["movable"]:
        raise NotApplicable("no folder that holds control files is there to move")
    workspace = os.open(facts["workspace"], os.O_RDONLY | os.O_DIRECTORY)
    own_mounts()
    # Nothing of what follows may reach the sandbox's own namespace.
    mount("", "/", "", MS_REC | MS_PRIVATE)
    # A folder that every image has; only this process sees the mount.
    mount("none", "/proc", "tmpfs")
    os.chdir("/proc")
    # The old root comes to lie over the new one: a user without a number could make no folder for it.
    call("pivot_root", b".", b".")
    call("umount2", b".", MNT_DETACH)
    return {"detail": "the kernel would move them", "movable": movable(facts, workspace)}
