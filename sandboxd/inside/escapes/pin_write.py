"""Write to a pinned file, the plain way: the control that everybody believes to have."""

from __future__ import annotations

from typing import Any

from sandboxd.inside.escapes._pins import each_target, overwrite, pinned_files

TITLE = "write to a pinned file"
JUDGE = "workspace"
EXPECTED = {"runc": "read-only file system", "runsc": "read-only file system"}


def attempt(facts: dict[str, Any]) -> dict[str, Any]:
    return each_target(pinned_files(facts, "pin-write"), overwrite)
