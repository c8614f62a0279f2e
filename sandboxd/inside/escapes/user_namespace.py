"""Make a user namespace: root's kernel interfaces for everybody.

Most local root exploits of recent years start here (CVE-2022-0185, CVE-2023-32233).
"""

from __future__ import annotations

import os
import signal
from typing import Any

from sandboxd.inside.escapes._kernel import CLONE_NEWUSER, call

TITLE = "make a user namespace"
JUDGE = "surface"
EXPECTED = {"runc": "filtered (seccomp)", "runsc": "gVisor's own"}
DECLARED = {
    "seed-baseline": "the guide's list allows clone(2) with every flag",
    "nested_sandbox": "`nested_sandbox` opens it for bubblewrap",
}


def attempt(facts: dict[str, Any]) -> dict[str, Any]:
    # A filter may stop one way and forget the other.
    try:
        pid = call("clone", CLONE_NEWUSER | signal.SIGCHLD, 0, 0, 0, 0)
    except OSError:
        call("unshare", CLONE_NEWUSER)
        return {"detail": "unshare(CLONE_NEWUSER) works"}
    if pid == 0:
        os._exit(0)
    os.waitpid(pid, 0)
    return {"detail": "clone(CLONE_NEWUSER) works"}
