"""Find a port of the gateway that is not one of its doors: a control port there would open it (sbx-releases #577)."""

from __future__ import annotations

import socket
import time
from typing import Any

from sandboxd.inside.escapes import _doors, _network

TITLE = "find another port of the gateway that answers"
JUDGE = "open"
GROUP = _network.EGRESS
WAITS = True
EXPECTED = {"runc": "only its doors answer", "runsc": "only its doors answer"}

_PORTS = (22, 80, 443, 2375, 3127, 8000, 8080, 9090)
_SECONDS = 0.5


def attempt(facts: dict[str, Any]) -> dict[str, Any]:
    address = _doors.gateway(facts)
    end = time.monotonic() + len(_PORTS) * 0.1 + 1
    last = OSError("none answers")
    for port in _PORTS:
        if time.monotonic() > end:
            raise TimeoutError("the gateway takes too long to refuse")
        try:
            with socket.create_connection((address, port), timeout=_SECONDS) as connection:
                connection.sendall(b"GET / HTTP/1.0\r\n\r\n")
                if connection.recv(16):
                    return {"detail": f"port {port} of the gateway answers"}
        except OSError as error:
            last = error
    raise last
