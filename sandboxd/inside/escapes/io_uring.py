"""Set up an io_uring: fast moving kernel code, and a way around system call filters."""

from __future__ import annotations

import ctypes
from typing import Any

from sandboxd.inside.escapes._kernel import call

TITLE = "use io_uring"
JUDGE = "surface"
EXPECTED = {"runc": "filtered (seccomp)", "runsc": "not implemented"}


def attempt(facts: dict[str, Any]) -> dict[str, Any]:
    call("io_uring_setup", 1, (ctypes.c_uint * 30)())
    return {"detail": "a ring can be set up"}
