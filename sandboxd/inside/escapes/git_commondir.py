"""Write `.git/commondir`, which names the repository whose config Git reads.

Git on the host then reads a `config` that no pin covers, and the next `git status` starts the
program that its `core.fsmonitor` names. What is there is opened, never written; what is made says
what holds without the file.
"""

from __future__ import annotations

import os
from typing import Any

from sandboxd.inside.escapes._kernel import NotApplicable

TITLE = "name another repository for Git on the host (.git/commondir)"
JUDGE = "workspace"
EXPECTED = {"runc": "read-only file system", "runsc": "read-only file system"}


def attempt(facts: dict[str, Any]) -> dict[str, Any]:
    path = facts["git_commondir"]
    if not path:
        raise NotApplicable("the workspace has no `.git` folder")
    try:
        descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o644)
    except FileExistsError:
        os.close(os.open(path, os.O_WRONLY))
        return {"detail": "opened for writing", "reached": [path]}
    try:
        # An empty one is an error to Git on the host.
        os.write(descriptor, b".\n")
    finally:
        os.close(descriptor)
    return {"detail": "made"}
