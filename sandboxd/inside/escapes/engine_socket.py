"""Talk to the container engine that runs this sandbox: its socket is root on the host.

Anyone who reaches it can start a privileged container with the host's root mounted. Only the
engine's description of itself is asked for.
"""

from __future__ import annotations

import hashlib
import json
import socket
from typing import Any

from sandboxd.inside.escapes import _sockets

TITLE = "talk to the container engine's socket"
JUDGE = "token"
EXPECTED = {"runc": "no such socket", "runsc": "no such socket"}


def attempt(facts: dict[str, Any]) -> dict[str, Any]:
    last = OSError("no socket answers as an engine")
    for path in _sockets.candidates():
        try:
            with socket.socket(socket.AF_UNIX) as connection:
                connection.settimeout(1)
                connection.connect(path)
                connection.sendall(b"GET /info HTTP/1.0\r\nHost: localhost\r\n\r\n")
                answer = b""
                while len(answer) < 1 << 20:
                    part = connection.recv(65536)
                    if not part:
                        break
                    answer += part
        except OSError as error:
            last = error
            continue
        try:
            info = json.loads(answer[answer.index(b"{") : answer.rindex(b"}") + 1])
            identity = podman_identity(info) if b"\nServer: Libpod/" in answer else info.get("ID")
        except ValueError:
            continue
        if identity:
            return {"token": identity, "detail": "the engine answers at " + path}
    raise last


def podman_identity(info: dict[str, Any]) -> str:
    """An identity for Podman, as the host computes it: its service makes up another `ID` for each answer."""
    text = f"{info.get('Name')}\0{info.get('DockerRootDir')}"
    return hashlib.sha256(text.encode()).hexdigest()
