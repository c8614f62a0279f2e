"""Create a file in a host folder that is mounted and is not the workspace.

`-v /:/host`, `-v $HOME:/home/me`: whoever writes there writes `.bashrc`, `authorized_keys`, units.
"""

from __future__ import annotations

import os
from typing import Any

from sandboxd.inside.escapes._kernel import NotApplicable

TITLE = "write to a host folder outside the workspace"
JUDGE = "workspace"
EXPECTED = {"runc": "no such mount", "runsc": "no such mount"}


def attempt(facts: dict[str, Any]) -> dict[str, Any]:
    if not facts["foreign_mounts"]:
        raise NotApplicable("no host folder but the workspace is mounted")
    reached = []
    last = OSError("nothing to write to")
    for target in facts["foreign_mounts"]:
        try:
            if os.path.isdir(target):
                new = os.path.join(target, facts["plant"] + "-new")
                os.close(os.open(new, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o600))
            else:
                os.close(os.open(target, os.O_WRONLY))
            reached.append(target)
        except OSError as error:
            last = error
    if not reached:
        raise last
    return {"detail": "written to", "reached": reached}
