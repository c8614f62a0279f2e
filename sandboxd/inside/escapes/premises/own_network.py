"""gVisor's own network stack starts here, and carries a connection.

Attack: none; a connection is made over the loopback of a container without a network. Where the runtime is
registered with `--network=host`, socket calls go to the host's kernel (into the namespace that the engine
made for the container), which is a larger part of that kernel than any other call reaches.

Seen: runsc 20240729 does not start it on Linux 6.9 and later (gvisor#10704), so that `--network=host` is
needed there; release-20260817 starts it on Linux 6.18.
"""

from __future__ import annotations

import socket
from typing import Any

TITLE = "its own network stack starts"
PLAN = ("sockets end in gVisor's kernel", "socket calls reach the host's kernel")


def attempt(_facts: dict[str, Any]) -> dict[str, Any]:
    with socket.socket() as server:
        server.bind(("127.0.0.1", 0))
        server.listen(1)
        with socket.create_connection(server.getsockname(), 2) as client:
            accepted, _ = server.accept()
            with accepted:
                client.sendall(b"x")
                if accepted.recv(1) != b"x":
                    raise OSError("the loopback lost a byte")
    return {"detail": "a connection over the loopback"}


def judge(inside: dict[str, Any], outside: dict[str, Any]) -> tuple[bool, str]:
    modes = [word.partition("=")[2] for word in outside["arguments"] if _is_network(word)]
    if modes and modes[-1] not in ("", "sandbox"):
        return False, f"registered with `--network={modes[-1]}`"
    return inside["state"] == "done", str(inside.get("detail", ""))


def _is_network(argument: str) -> bool:
    return argument.lstrip("-").partition("=")[0] == "network"
