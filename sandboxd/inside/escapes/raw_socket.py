"""Open a raw socket: forge packets of the network's other machines. NET_RAW is what allows it."""

from __future__ import annotations

import socket
from typing import Any

TITLE = "open a raw socket"
JUDGE = "namespace"
NAMESPACE = "net"
EXPECTED = {"runc": "no NET_RAW", "runsc": "no NET_RAW"}


def attempt(facts: dict[str, Any]) -> dict[str, Any]:
    socket.socket(socket.AF_INET, socket.SOCK_RAW, socket.IPPROTO_ICMP).close()
    return {"detail": "a raw socket opens"}
