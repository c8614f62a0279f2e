"""Open an existing control file (`.git/config`, devcontainer.json) for writing.

`.git/config` can name programs that Git runs on the host (`core.fsmonitor`, `core.hooksPath`).
The file is opened and closed, never written.
"""

from __future__ import annotations

import os
from typing import Any

from sandboxd.inside.escapes._kernel import NotApplicable

TITLE = "open a control file (.git/config, devcontainer.json) for writing"
JUDGE = "workspace"
EXPECTED = {"runc": "read-only file system", "runsc": "read-only file system"}


def attempt(facts: dict[str, Any]) -> dict[str, Any]:
    if not facts["control_files"]:
        raise NotApplicable("the workspace has no control file")
    reached = []
    last = OSError("no file")
    for path in facts["control_files"]:
        try:
            os.close(os.open(path, os.O_WRONLY))
            reached.append(path)
        except OSError as error:
            last = error
    if not reached:
        raise last
    return {"detail": "opened for writing", "reached": reached}
