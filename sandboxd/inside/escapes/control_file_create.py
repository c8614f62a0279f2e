"""Plant a new file where the host's tools look for commands: a Git hook, an editor task.

The next `git commit` or "Reopen in Container" on the host would run it.
"""

from __future__ import annotations

import os
from typing import Any

from sandboxd.inside.escapes._kernel import NotApplicable
from sandboxd.inside.escapes._pins import each_target

TITLE = "plant a file in a control folder (.devcontainer, .git/hooks)"
JUDGE = "workspace"
EXPECTED = {"runc": "read-only file system", "runsc": "read-only file system"}


def attempt(facts: dict[str, Any]) -> dict[str, Any]:
    if not facts["control_folders"]:
        raise NotApplicable("the workspace has no control folder")
    names = [os.path.join(folder, facts["plant"] + "-new") for folder in facts["control_folders"]]

    def create(path: str) -> None:
        os.close(os.open(path, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o600))

    return each_target(names, create)
