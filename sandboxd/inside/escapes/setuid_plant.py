"""Plant a setuid program of root's in the workspace: whoever starts it on the host is root.

Needs root inside without a user namespace. The file is empty, and `verify` takes it away.
"""

from __future__ import annotations

import os
from typing import Any

from sandboxd.inside.escapes._kernel import NotApplicable

TITLE = "plant a setuid file of root's in the workspace"
JUDGE = "workspace"
EXPECTED = {"runc": "not root inside", "runsc": "not root inside"}
REMEDY = (
    "the sandbox runs as root: give the workspace to a user (`chown -R`), "
    "or name one in sandboxd.toml: `user = ...`"
)


def attempt(facts: dict[str, Any]) -> dict[str, Any]:
    if not facts["link_folder"]:
        raise NotApplicable("no writable workspace is mounted")
    path = os.path.join(facts["link_folder"], "keep.moved")
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o700)
    try:
        os.fchmod(descriptor, 0o4755)
    finally:
        os.close(descriptor)
    return {"detail": f"a setuid file of user {os.geteuid()}"}
