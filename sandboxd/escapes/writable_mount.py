"""Create a file in a host folder that is mounted and is not the workspace.

`-v /:/host`, `-v $HOME:/home/me`: whoever writes there writes `.bashrc`, `authorized_keys`, units.
"""

from __future__ import annotations

import os
from typing import Any

from sandboxd.escapes._kernel import NotApplicable
from sandboxd.escapes._pins import each_target

TITLE = "write to a host folder outside the workspace"
JUDGE = "workspace"
EXPECTED = {"runc": "no such mount", "runsc": "no such mount"}


def attempt(facts: dict[str, Any]) -> dict[str, Any]:
    if not facts["foreign_mounts"]:
        raise NotApplicable("no host folder but the workspace is mounted")
    names = [os.path.join(folder, facts["plant"]) for folder in facts["foreign_mounts"]]

    def create(path: str) -> None:
        os.close(os.open(path, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o600))

    return each_target(names, create)
