"""Switch off address randomisation by personality(2): exploits of setuid programs start so."""

from __future__ import annotations

from typing import Any

from sandboxd.inside.escapes._kernel import call

TITLE = "change the execution domain (personality)"
JUDGE = "surface"
EXPECTED = {"runc": "filtered (seccomp)", "runsc": "not implemented"}


def attempt(facts: dict[str, Any]) -> dict[str, Any]:
    no_randomize = 0x0040000
    call("personality", no_randomize)
    return {"detail": "address randomisation can be switched off"}
