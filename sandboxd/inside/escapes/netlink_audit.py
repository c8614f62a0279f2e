"""Open a netlink socket to the kernel's audit code; sending on it needs a capability."""

from __future__ import annotations

import socket
from typing import Any

TITLE = "open a netlink socket to the audit subsystem"
JUDGE = "surface"
EXPECTED = {"runc": "open in every profile", "runsc": "not implemented"}
DECLARED = {"*": "programs need netlink; no filter looks at the protocol yet"}

_AUDIT = 9


def attempt(facts: dict[str, Any]) -> dict[str, Any]:
    socket.socket(socket.AF_NETLINK, socket.SOCK_RAW, _AUDIT).close()
    return {"detail": "the socket opens"}
