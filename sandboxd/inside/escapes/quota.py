"""Reach the disk quotas' code: quotactl(2) on a device that does not exist."""

from __future__ import annotations

import ctypes
import errno
from typing import Any

from sandboxd.inside.escapes._kernel import call

TITLE = "reach the disk quotas (quotactl)"
JUDGE = "surface"
EXPECTED = {"runc": "filtered (seccomp)", "runsc": "not implemented"}

_GET_FORMAT = 0x800004 << 8


def attempt(facts: dict[str, Any]) -> dict[str, Any]:
    try:
        call("quotactl", _GET_FORMAT, b"/sandboxd-verify-none", 0, ctypes.create_string_buffer(8))
    except OSError as error:
        if error.errno != errno.ENOENT:
            raise
    return {"detail": "quotactl looked for the device"}
