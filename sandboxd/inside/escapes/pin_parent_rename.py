"""Move away a folder that holds a pin (`mv .git x`) and make a new one in its place.

A pin of `.git/hooks` is worthless while `.git` itself can be renamed: the host then finds a new
`.git` with hooks from inside. Only a folder that is a mount point cannot be moved.
"""

from __future__ import annotations

from typing import Any

from sandboxd.inside.escapes._kernel import NotApplicable
from sandboxd.inside.escapes._pins import movable

TITLE = "move a pinned folder or its parent away"
JUDGE = "workspace"
EXPECTED = {"runc": "the folder is a mount point", "runsc": "the folder is a mount point"}


def attempt(facts: dict[str, Any]) -> dict[str, Any]:
    if not facts["movable"]:
        raise NotApplicable("no folder that holds control files is there to move")
    return {"detail": "the kernel would move them", "movable": movable(facts)}
