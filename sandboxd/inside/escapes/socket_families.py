"""Open sockets of rarely used families: Bluetooth, TIPC, RDS, CAN, keys. Each had its local root.

Only families that the kernel has loaded are tried: to open another would load its module.
"""

from __future__ import annotations

import errno
import os
import socket
from typing import Any

from sandboxd.inside.escapes._kernel import NotApplicable, read_text

TITLE = "open sockets of rare families"
JUDGE = "surface"
EXPECTED = {"runc": "open where the host has loaded them", "runsc": "not implemented"}
DECLARED = {
    "*": "the filters refuse AF_ALG and AF_VSOCK only",
}

_RAW, _DATAGRAM, _PACKETS = socket.SOCK_RAW, socket.SOCK_DGRAM, socket.SOCK_SEQPACKET
_FAMILIES = {
    "KEY": (15, _RAW, 2),
    "RDS": (21, _PACKETS, 0),
    "PPPOX": (24, socket.SOCK_STREAM, 0),
    "CAN_RAW": (29, _RAW, 1),
    "TIPC": (30, socket.SOCK_STREAM, 0),
    "L2CAP": (31, _PACKETS, 0),
    "NFC": (39, _PACKETS, 0),
    "QIPCRTR": (42, _DATAGRAM, 0),
    "SMC": (43, socket.SOCK_STREAM, 0),
    "XDP": (44, _RAW, 0),
}


def attempt(facts: dict[str, Any]) -> dict[str, Any]:
    loaded = {line.split()[0] for line in read_text("/proc/net/protocols").splitlines() if line}
    opened = []
    last = OSError(errno.EAFNOSUPPORT, os.strerror(errno.EAFNOSUPPORT))
    candidates = [name for name in _FAMILIES if name in loaded]
    for name in candidates:
        try:
            socket.socket(*_FAMILIES[name]).close()
            opened.append(name)
        except OSError as error:
            last = error
    if not candidates:
        raise NotApplicable("the kernel has none of them loaded")
    if not opened:
        raise last
    return {"detail": "opened: " + ", ".join(opened)}
