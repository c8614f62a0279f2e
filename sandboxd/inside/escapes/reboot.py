"""Reboot the machine: reboot(2) with wrong magic numbers, so it does nothing.

In a process namespace of its own it ends only that.
"""

from __future__ import annotations

import errno
from typing import Any

from sandboxd.inside.escapes._kernel import call

TITLE = "reboot the machine"
JUDGE = "namespace"
NAMESPACE = "pid"
EXPECTED = {"runc": "no SYS_BOOT, filtered", "runsc": "not implemented"}


def attempt(facts: dict[str, Any]) -> dict[str, Any]:
    try:
        call("reboot", 0, 0, 0, None)
    except OSError as error:
        # The right was looked at first.
        if error.errno != errno.EINVAL:
            raise
    return {"detail": "reboot(2) is permitted"}
