"""Open a socket to the kernel's crypto code (AF_ALG; CVE-2010-3904's neighbourhood)."""

from __future__ import annotations

import errno
import socket
from typing import Any

from sandboxd.escapes._kernel import NotApplicable

TITLE = "open a kernel crypto socket (AF_ALG)"
JUDGE = "surface"
EXPECTED = {"runc": "filtered (seccomp)", "runsc": "not implemented"}
DECLARED = {"seed-baseline": "the guide's list allows every socket family"}

_AF_ALG = 38


def attempt(facts: dict[str, Any]) -> dict[str, Any]:
    try:
        socket.socket(_AF_ALG, socket.SOCK_SEQPACKET, 0).close()
    except OSError as error:
        if error.errno == errno.EAFNOSUPPORT:
            raise NotApplicable("this kernel has no such socket") from None
        raise
    return {"detail": "an AF_ALG socket opens"}
