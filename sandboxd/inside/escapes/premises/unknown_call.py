"""A system call that gVisor does not know is answered by ENOSYS, not by EPERM.

Attack: none; a number that no kernel has. Programs fall back to an older call after ENOSYS and fail after
EPERM (the C library does so for `clone3`), so a filter above gVisor may refuse calls by ENOSYS only where
the kernel below answers alike.

Seen: ENOSYS under runsc 20240729.
"""

from __future__ import annotations

import errno
from typing import Any

from sandboxd.inside.escapes._kernel import raw_call

TITLE = "an unknown system call answers ENOSYS"
PLAN = ("programs fall back to calls that are there", "programs may fail at a call that is missing")

_UNKNOWN = 1999


def attempt(_facts: dict[str, Any]) -> dict[str, Any]:
    try:
        raw_call(_UNKNOWN)
    except OSError as error:
        return {"detail": errno.errorcode.get(error.errno or 0, str(error.errno))}
    return {"detail": "no error"}


def judge(inside: dict[str, Any], _outside: dict[str, Any]) -> tuple[bool, str]:
    if inside["state"] != "done":
        return False, str(inside.get("detail", ""))
    return inside["detail"] == "ENOSYS", f"it answers {inside['detail']}"
