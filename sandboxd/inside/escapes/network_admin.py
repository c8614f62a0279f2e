"""Change a network interface: `lo` is given the flags that it has. NET_ADMIN is what allows it."""

from __future__ import annotations

import fcntl
import socket
import struct
from typing import Any

TITLE = "change a network interface"
JUDGE = "namespace"
NAMESPACE = "net"
EXPECTED = {"runc": "no NET_ADMIN", "runsc": "no NET_ADMIN"}

_GET_FLAGS, _SET_FLAGS = 0x8913, 0x8914


def attempt(facts: dict[str, Any]) -> dict[str, Any]:
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as channel:
        request = struct.pack("16sH22x", b"lo", 0)
        fcntl.ioctl(channel, _SET_FLAGS, fcntl.ioctl(channel, _GET_FLAGS, request))
    return {"detail": "an interface can be changed"}
