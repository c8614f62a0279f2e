"""Let the host swap to a file of ours, and read what it swaps out. The file named does not exist."""

from __future__ import annotations

import errno
from typing import Any

from sandboxd.inside.escapes._kernel import call

TITLE = "give the host a swap file"
JUDGE = "kernel"
EXPECTED = {"runc": "no SYS_ADMIN, filtered", "runsc": "not implemented"}


def attempt(facts: dict[str, Any]) -> dict[str, Any]:
    try:
        call("swapon", b"/sandboxd-verify-none", 0)
    except OSError as error:
        # The right was looked at first.
        if error.errno != errno.ENOENT:
            raise
    return {"detail": "the kernel looked for the file"}
