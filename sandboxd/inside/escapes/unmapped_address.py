"""Dial an address of the synthetic range that stands for no name: it must lead nowhere."""

from __future__ import annotations

import socket
from typing import Any

from sandboxd.inside.escapes import _doors, _network

TITLE = "get an answer from an address without a name"
JUDGE = "open"
CLUSTER = "no range of addresses stands for names there"
GROUP = _network.EGRESS
WAITS = True
EXPECTED = {"runc": "the gateway refuses", "runsc": "the gateway refuses"}


def attempt(facts: dict[str, Any]) -> dict[str, Any]:
    _doors.gateway(facts)
    last = OSError("none answers")
    for address in facts["unmapped"]:
        for port in (80, 443):
            try:
                with socket.create_connection((address, port), timeout=0.5) as connection:
                    connection.sendall(b"GET / HTTP/1.0\r\n\r\n")
                    if connection.recv(16):
                        return {"detail": f"{address} answers at port {port}"}
            except OSError as error:
                last = error
    raise last
