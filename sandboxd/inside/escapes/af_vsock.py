"""Open a socket to the hypervisor (AF_VSOCK): in a virtual machine it passes every network rule."""

from __future__ import annotations

import socket
from typing import Any

from sandboxd.inside.escapes._families import open_family

TITLE = "open a socket to the hypervisor (AF_VSOCK)"
JUDGE = "surface"
EXPECTED = {"runc": "filtered (seccomp)", "runsc": "not implemented"}
DECLARED = {"seed-baseline": "the guide's list allows every socket family"}

_AF_VSOCK = 40


def attempt(facts: dict[str, Any]) -> dict[str, Any]:
    return {"detail": f"an AF_VSOCK socket {open_family(_AF_VSOCK, socket.SOCK_STREAM)}"}
