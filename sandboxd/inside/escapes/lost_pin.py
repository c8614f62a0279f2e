"""Write where a pin of the sandbox in use was: the kernel takes a mount away when the host replaces what it is on.

`git config`, `sed -i`, `git checkout` and editors replace files on the host every day. A replica has fresh mounts, so
this is tried in the sandbox in use, too. A file is opened and closed, a folder only asked for; nothing is written.
"""

from __future__ import annotations

import errno
import os
import stat
from typing import Any

from sandboxd.inside.escapes._kernel import NotApplicable

TITLE = "write where the host took a pin away"
JUDGE = "open"
LIVE = True
EXPECTED = {"runc": "every pin still holds", "runsc": "every pin still holds"}
REMEDY = (
    "the host replaced or moved what was pinned, which took its mount away: look at what is there now before a tool "
    "on the host does, then `sandboxd up --recreate` makes the container anew with every pin in place"
)
CLUSTER = "what is pinned there is on a node, where nobody replaces it"


def attempt(facts: dict[str, Any]) -> dict[str, Any]:
    if not facts["pinned"]:
        raise NotApplicable("nothing of the workspace is pinned")
    reached = []
    last = OSError(errno.EROFS, os.strerror(errno.EROFS))
    for path in facts["pinned"]:
        try:
            _open(path)
            reached.append(path)
        except OSError as error:
            last = error
    if not reached:
        raise last
    return {"detail": "can be written: {}".format(", ".join(reached[:3]))}


def _open(path: str) -> None:
    """:raises OSError: it cannot be written"""
    if not stat.S_ISDIR(os.lstat(path).st_mode):
        os.close(os.open(path, os.O_WRONLY | os.O_APPEND | os.O_NOFOLLOW | os.O_NONBLOCK))
    elif not os.access(path, os.W_OK):
        raise OSError(errno.EROFS, os.strerror(errno.EROFS))
