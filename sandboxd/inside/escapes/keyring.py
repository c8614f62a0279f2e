"""Add a key to the kernel's keyring, which no namespace separates (CVE-2016-0728).

The key goes to the attempt's own process keyring and dies with it.
"""

from __future__ import annotations

from typing import Any

from sandboxd.inside.escapes._kernel import call

TITLE = "use the kernel's keyring"
JUDGE = "surface"
EXPECTED = {"runc": "filtered (seccomp)", "runsc": "not implemented, or gVisor's own"}

_PROCESS_KEYRING = -2


def attempt(facts: dict[str, Any]) -> dict[str, Any]:
    call("add_key", b"user", b"sandboxd-verify", b"x", 1, _PROCESS_KEYRING)
    return {"detail": "a key can be added"}
