"""Make a user namespace: root's kernel interfaces for everybody.

Most local root exploits of recent years start here (CVE-2022-0185, CVE-2023-32233).
"""

from __future__ import annotations

from typing import Any

from sandboxd.escapes._kernel import CLONE_NEWUSER, call

TITLE = "make a user namespace"
JUDGE = "surface"
EXPECTED = {"runc": "filtered (seccomp)", "runsc": "the sentry's own"}


def attempt(facts: dict[str, Any]) -> dict[str, Any]:
    call("unshare", CLONE_NEWUSER)
    return {"detail": "unshare(CLONE_NEWUSER) works"}
