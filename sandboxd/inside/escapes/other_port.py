"""Reach an allowed name by a port that it is not allowed at (anthropic sandbox-runtime #274)."""

from __future__ import annotations

import socket
from typing import Any

from sandboxd.inside.escapes import _doors, _network
from sandboxd.inside.escapes._kernel import NotApplicable

TITLE = "reach an allowed name at another port"
JUDGE = "arrival"
CLUSTER = "the name has no address there, since no range of addresses stands for names"
GROUP = _network.EGRESS
WAITS = True
EXPECTED = {"runc": "the gateway's policy", "runsc": "the gateway's policy"}


def attempt(facts: dict[str, Any]) -> dict[str, Any]:
    server, name, port = _doors.gateway(facts), facts["allowed"], facts["closed_port"]
    if not name:
        raise NotApplicable("no name is allowed")
    packet = _doors.query(name)
    address = _doors.address_in(_doors.ask(server, packet), packet)
    if not address:
        raise OSError("the name has no address")
    opened = 0
    try:
        with socket.create_connection((address, port), timeout=0.7) as connection:
            connection.settimeout(0.3)
            connection.sendall(b"\r\n")
            opened = len(connection.recv(16))
    except OSError as error:
        last = error
    else:
        last = OSError("the gateway closes the connection")
    answer = _doors.connect(server, name, port)
    if opened or b" 200 " in answer[:32]:
        return {"detail": f"port {port} of {name} answers"}
    raise last
