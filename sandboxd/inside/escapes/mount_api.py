"""Reach the kernel's newer mount calls (fsopen; CVE-2022-0185 was in fsconfig)."""

from __future__ import annotations

import os
from typing import Any

from sandboxd.inside.escapes._kernel import call

TITLE = "reach the newer mount calls (fsopen)"
JUDGE = "surface"
EXPECTED = {"runc": "filtered (seccomp)", "runsc": "not implemented"}


def attempt(facts: dict[str, Any]) -> dict[str, Any]:
    os.close(call("fsopen", b"tmpfs", 0))
    return {"detail": "fsopen works"}
