"""Open a socket to the kernel's crypto code (AF_ALG; CVE-2010-3904's neighbourhood)."""

from __future__ import annotations

import socket
from typing import Any

from sandboxd.inside.escapes._families import open_family

TITLE = "open a kernel crypto socket (AF_ALG)"
JUDGE = "surface"
EXPECTED = {"runc": "filtered (seccomp)", "runsc": "not implemented"}
DECLARED = {"seed-baseline": "the guide's list allows every socket family"}

_AF_ALG = 38


def attempt(facts: dict[str, Any]) -> dict[str, Any]:
    return {"detail": f"an AF_ALG socket {open_family(_AF_ALG, socket.SOCK_SEQPACKET)}"}
