"""Leave the workspace through a symbolic link to a host path.

Inside, a link is resolved in the sandbox; a runtime or a file server that resolves it on the host
would hand out any file. (That tools on the *host* follow links from the workspace is theirs.)
"""

from __future__ import annotations

import os
from typing import Any

from sandboxd.inside.escapes._kernel import NotApplicable, read_text

TITLE = "read a host file through a link in the workspace"
JUDGE = "token"
EXPECTED = {"runc": "the link ends inside", "runsc": "the link ends inside"}


def attempt(facts: dict[str, Any]) -> dict[str, Any]:
    if not facts["link_folder"]:
        raise NotApplicable("no writable workspace is mounted")
    link = os.path.join(facts["link_folder"], "keep.link")
    os.symlink(facts["canary"], link)
    try:
        return {"token": read_text(link)}
    finally:
        os.unlink(link)
