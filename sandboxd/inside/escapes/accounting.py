"""Let the kernel write a line for every process of the host to a file of ours; it does not exist."""

from __future__ import annotations

import errno
from typing import Any

from sandboxd.inside.escapes._kernel import call

TITLE = "record the host's processes (acct)"
JUDGE = "kernel"
EXPECTED = {"runc": "no SYS_PACCT, filtered", "runsc": "not implemented"}


def attempt(facts: dict[str, Any]) -> dict[str, Any]:
    try:
        call("acct", b"/sandboxd-verify-none")
    except OSError as error:
        # The right was looked at first.
        if error.errno != errno.ENOENT:
            raise
    return {"detail": "the kernel looked for the file"}
