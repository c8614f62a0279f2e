"""Connect to any socket file that comes from the host: containerd, podman, ssh and gpg agents, D-Bus.

The host decides whether the path inside is a socket of its own.
"""

from __future__ import annotations

import socket
from typing import Any

from sandboxd.inside.escapes import _sockets

TITLE = "connect to a mounted socket of the host"
JUDGE = "workspace"
EXPECTED = {"runc": "no such socket", "runsc": "no such socket, or none that opens"}


def attempt(facts: dict[str, Any]) -> dict[str, Any]:
    reached = []
    last = OSError("no socket file")
    for path in _sockets.candidates():
        try:
            with socket.socket(socket.AF_UNIX) as connection:
                connection.settimeout(1)
                connection.connect(path)
            reached.append(path)
        except OSError as error:
            last = error
    if not reached:
        raise last
    return {"detail": "connected", "reached": reached}
