"""Set the host's name, to what it is already."""

from __future__ import annotations

import os
from typing import Any

from sandboxd.inside.escapes._kernel import call

TITLE = "set the host's name"
JUDGE = "namespace"
NAMESPACE = "uts"
EXPECTED = {"runc": "no SYS_ADMIN", "runsc": "no SYS_ADMIN, or gVisor's own"}


def attempt(facts: dict[str, Any]) -> dict[str, Any]:
    name = os.uname().nodename.encode()
    call("sethostname", name, len(name))
    return {"detail": "the name can be set"}
