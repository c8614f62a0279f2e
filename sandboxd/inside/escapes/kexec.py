"""Boot another kernel (kexec). A flag that does not exist is passed, so nothing is loaded or unloaded."""

from __future__ import annotations

import errno
from typing import Any

from sandboxd.inside.escapes._kernel import call

TITLE = "load another kernel (kexec)"
JUDGE = "kernel"
EXPECTED = {"runc": "no SYS_BOOT, filtered", "runsc": "not implemented"}


def attempt(facts: dict[str, Any]) -> dict[str, Any]:
    no_such_flag = 0x8000
    try:
        call("kexec_load", 0, 0, None, no_such_flag)
    except OSError as error:
        # The right was looked at first.
        if error.errno != errno.EINVAL:
            raise
    return {"detail": "the kernel would take another"}
