"""Move away a folder that holds a pin (`mv .git x`) and make a new one in its place.

A pin of `.git/hooks` is worthless while `.git` itself can be renamed: the host then finds a new
`.git` with hooks from inside. Only a folder that is a mount point cannot be moved. To change
nothing, the folder is renamed onto one that is not empty: a kernel that would move it says so.
"""

from __future__ import annotations

import errno
import os
from typing import Any

from sandboxd.escapes._kernel import NotApplicable

TITLE = "move a pinned folder or its parent away"
JUDGE = "workspace"
EXPECTED = {"runc": "the folder is a mount point", "runsc": "the folder is a mount point"}


def attempt(facts: dict[str, Any]) -> dict[str, Any]:
    if not facts["movable"]:
        raise NotApplicable("no folder that holds control files is there to move")
    moved = []
    last = OSError(errno.EBUSY, "mount point")
    for move in facts["movable"]:
        try:
            os.rename(move["folder"], move["onto"])
        except OSError as error:
            if error.errno in (errno.ENOTEMPTY, errno.EEXIST):
                moved.append(move["folder"])
            else:
                last = error
    if not moved:
        raise last
    return {"detail": "the kernel would move them", "movable": moved}
