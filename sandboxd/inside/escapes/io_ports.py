"""Touch the machine's hardware ports (ioperm). One unused port is asked for, and not touched."""

from __future__ import annotations

import os
from typing import Any

from sandboxd.inside.escapes._kernel import NotApplicable, call

TITLE = "use hardware ports (ioperm)"
JUDGE = "kernel"
EXPECTED = {"runc": "no SYS_RAWIO, filtered", "runsc": "not implemented"}


def attempt(facts: dict[str, Any]) -> dict[str, Any]:
    if os.uname().machine != "x86_64":
        raise NotApplicable("only x86 has hardware ports")
    unused = 0x80
    call("ioperm", unused, 1, 1)
    return {"detail": "a hardware port is given"}
