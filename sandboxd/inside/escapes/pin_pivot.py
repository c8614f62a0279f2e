"""Leave the engine's mounts behind (`pivot_root`), then move what they pin by a folder that is still open.

Linux refuses to move a mount point only of the mount namespace that the process is in. In one of its own
it detaches the old root with all pins, and the folder underneath is a folder like others. gVisor's gofer has
the mounts in its own namespace, and is refused; under directfs the sentry moves files itself, and has none.
"""

from __future__ import annotations

import os
from typing import Any

from sandboxd.inside.escapes._kernel import NotApplicable, leave_mounts
from sandboxd.inside.escapes._pins import movable

TITLE = "move a pin away from a namespace without mounts"
JUDGE = "workspace"
EXPECTED = {"runc": "no new namespace", "runsc": "the gofer is refused"}


def attempt(facts: dict[str, Any]) -> dict[str, Any]:
    if not facts["movable"]:
        raise NotApplicable("no folder that holds control files is there to move")
    workspace = os.open(facts["workspace"], os.O_RDONLY | os.O_DIRECTORY)
    leave_mounts()
    return {"detail": "the kernel would move them", "movable": movable(facts, workspace)}
