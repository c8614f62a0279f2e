"""Open a raw packet socket: in the host's network namespace it hears and forges all traffic."""

from __future__ import annotations

import socket
from typing import Any

TITLE = "open a packet socket on the host's network"
JUDGE = "namespace"
NAMESPACE = "net"
EXPECTED = {"runc": "no NET_RAW, own network", "runsc": "no NET_RAW"}


def attempt(facts: dict[str, Any]) -> dict[str, Any]:
    every_protocol = socket.htons(3)
    socket.socket(socket.AF_PACKET, socket.SOCK_RAW, every_protocol).close()
    return {"detail": "a packet socket opens"}
