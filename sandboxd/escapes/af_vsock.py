"""Open a socket to the hypervisor (AF_VSOCK): in a virtual machine it passes every network rule."""

from __future__ import annotations

import errno
import socket
from typing import Any

from sandboxd.escapes._kernel import NotApplicable

TITLE = "open a socket to the hypervisor (AF_VSOCK)"
JUDGE = "surface"
EXPECTED = {"runc": "filtered (seccomp)", "runsc": "not implemented"}
DECLARED = {"seed-baseline": "the guide's list allows every socket family"}

_AF_VSOCK = 40


def attempt(facts: dict[str, Any]) -> dict[str, Any]:
    try:
        socket.socket(_AF_VSOCK, socket.SOCK_STREAM, 0).close()
    except OSError as error:
        if error.errno == errno.EAFNOSUPPORT:
            raise NotApplicable("this kernel has no such socket") from None
        raise
    return {"detail": "an AF_VSOCK socket opens"}
