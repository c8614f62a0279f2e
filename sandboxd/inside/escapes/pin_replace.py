"""Replace a pinned file: delete it, or rename another one over it.

Needs no right on the file, only on its folder, so a pin of single files does not stop it.
"""

from __future__ import annotations

import os
from typing import Any

from sandboxd.inside.escapes._pins import each_target, pinned_files

TITLE = "delete or replace a pinned file"
JUDGE = "workspace"
EXPECTED = {"runc": "read-only file system", "runsc": "read-only file system"}


def attempt(facts: dict[str, Any]) -> dict[str, Any]:
    def replace(path: str) -> None:
        os.rename(path, path + ".moved")

    return each_target(pinned_files(facts, "pin-replace"), replace)
