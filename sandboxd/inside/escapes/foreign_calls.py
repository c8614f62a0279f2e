"""Pass the filter by the call numbers of another architecture: x32 on x86_64.

A seccomp profile that names only its own architecture does not see these numbers.
"""

from __future__ import annotations

import os
from typing import Any

from sandboxd.inside.escapes._kernel import CLONE_NEWUSER, NotApplicable, raw_call

TITLE = "make system calls of another architecture (x32)"
JUDGE = "surface"
EXPECTED = {"runc": "filtered (seccomp knows both)", "runsc": "not implemented"}

_X32 = 0x40000000
_UNSHARE = 272


def attempt(facts: dict[str, Any]) -> dict[str, Any]:
    if os.uname().machine != "x86_64":
        raise NotApplicable("only x86_64 has a second set of call numbers")
    raw_call(_X32 | _UNSHARE, CLONE_NEWUSER)
    return {"detail": "unshare(CLONE_NEWUSER) works by its x32 number"}
