"""Gain rights by a program's setuid bit or file capabilities, which `allowPrivilegeEscalation: false` ends.

The kernel is asked; `setuid-program` tries it where the image has such a program.
"""

from __future__ import annotations

import ctypes
import os
from typing import Any

from sandboxd.inside.escapes._kernel import Unable

TITLE = "run without no-new-privileges"
JUDGE = "open"
CLUSTER = "only"
EXPECTED = {"runc": "no-new-privileges", "runsc": "no-new-privileges"}
REMEDY = "something of the cluster gives rights to the Pod: `sandboxd drift` names what was changed"

_GET_NO_NEW_PRIVS = 39


def attempt(facts: dict[str, Any]) -> dict[str, Any]:
    libc = ctypes.CDLL(None, use_errno=True)
    result = libc.prctl(_GET_NO_NEW_PRIVS, 0, 0, 0, 0)
    if result < 0:
        number = ctypes.get_errno()
        raise Unable(f"the kernel does not say: {os.strerror(number)}")
    if result == 0:
        return {"detail": "no_new_privs is not set"}
    raise PermissionError("no_new_privs is set")
