"""Handle page faults in user space: makes races in the kernel easy to win."""

from __future__ import annotations

from typing import Any

from sandboxd.inside.escapes._kernel import call

TITLE = "use userfaultfd(2)"
JUDGE = "surface"
EXPECTED = {"runc": "filtered (seccomp)", "runsc": "not implemented"}


def attempt(facts: dict[str, Any]) -> dict[str, Any]:
    user_mode_only = 1
    call("userfaultfd", user_mode_only)
    return {"detail": "userfaultfd can be opened"}
