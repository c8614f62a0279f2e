"""Empty a file through a read-only mount, by opening it for writing with O_TRUNC.

gVisor with directfs (its default) answers EROFS to `: > file` and empties the host's file all the
same: the gofer truncates before the sentry looks at the mount's flag. The error tells nothing.
"""

from __future__ import annotations

import os
from typing import Any

from sandboxd.inside.escapes._pins import each_target, pinned_files

TITLE = "empty a pinned file by opening it for writing"
JUDGE = "workspace"
EXPECTED = {"runc": "read-only file system", "runsc": "read-only file system; file unchanged"}


def attempt(facts: dict[str, Any]) -> dict[str, Any]:
    def truncate(path: str) -> None:
        os.close(os.open(path, os.O_WRONLY | os.O_TRUNC))

    return each_target(pinned_files(facts, "pin-truncate"), truncate)
