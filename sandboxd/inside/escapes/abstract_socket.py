"""Connect to an abstract Unix socket of the host: these belong to the network namespace.

containerd-shim listened on one (CVE-2020-15257): with the host's network, root in a container
became root on the host.
"""

from __future__ import annotations

import socket
from typing import Any

TITLE = "connect to an abstract socket of the host"
JUDGE = "token"
EXPECTED = {"runc": "a network namespace of its own", "runsc": "gVisor's own sockets only"}


def attempt(facts: dict[str, Any]) -> dict[str, Any]:
    with socket.socket(socket.AF_UNIX) as connection:
        connection.settimeout(1)
        connection.connect("\0" + facts["abstract"])
        return {"token": connection.recv(256).decode("utf-8", "replace"), "detail": "it answers"}
