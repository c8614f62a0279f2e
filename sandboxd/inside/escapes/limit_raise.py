"""Raise an own resource limit above its hard bound: then no limit of the sandbox binds."""

from __future__ import annotations

import resource
from typing import Any

TITLE = "raise a hard resource limit"
JUDGE = "surface"
EXPECTED = {"runc": "no SYS_RESOURCE", "runsc": "gVisor's own"}


def attempt(facts: dict[str, Any]) -> dict[str, Any]:
    resource.setrlimit(resource.RLIMIT_NOFILE, (100, 100))
    try:
        resource.setrlimit(resource.RLIMIT_NOFILE, (100, 200))
    except ValueError as error:
        raise PermissionError(str(error)) from None
    return {"detail": "a hard limit can be raised"}
