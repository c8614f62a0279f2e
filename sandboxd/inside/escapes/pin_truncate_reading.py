"""Empty a file through a read-only mount, by opening it for *reading* with O_TRUNC.

A second way into the slip of `pin_truncate`: gVisor with directfs even answers with success.
"""

from __future__ import annotations

import os
from typing import Any

from sandboxd.inside.escapes._pins import each_target, pinned_files

TITLE = "empty a pinned file by opening it for reading"
JUDGE = "workspace"
EXPECTED = {"runc": "read-only file system", "runsc": "read-only file system; file unchanged"}


def attempt(facts: dict[str, Any]) -> dict[str, Any]:
    def truncate(path: str) -> None:
        os.close(os.open(path, os.O_RDONLY | os.O_TRUNC))

    return each_target(pinned_files(facts, "pin-truncate-reading"), truncate)
