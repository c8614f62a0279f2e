"""Carry data out by DNS: the engine's resolver forwards each name to the host's, and that to the world.

One name that does not exist is asked for. An answer from beyond the resolver shows the way out.
"""

from __future__ import annotations

import os
import socket
from typing import Any

from sandboxd.escapes._kernel import NotApplicable, read_text

TITLE = "send data out by DNS"
JUDGE = "open"
WAITS = True
EXPECTED = {"runc": "no resolver, no route", "runsc": "no resolver, no route"}
DECLARED = {
    "dev": "network: open where no gateway is made for it",
    "trusted": "network: open",
    "seed-baseline": "network: open (the guide's baseline filters nothing)",
}

_SECONDS = 0.7
_ANSWERED = (0, 3)  # no error, no such name: somebody who knows has said so


def attempt(facts: dict[str, Any]) -> dict[str, Any]:
    servers = []
    for line in read_text("/etc/resolv.conf").splitlines():
        words = line.split()
        if len(words) > 1 and words[0] == "nameserver" and ":" not in words[1]:
            servers.append(words[1])
    if not servers:
        raise NotApplicable("no resolver is configured")
    label = f"sandboxd-verify-{os.urandom(4).hex()}"
    name = bytes([len(label)]) + label.encode() + b"\x07invalid\x00"
    query = b"\x12\x34\x01\x00\x00\x01" + bytes(6) + name + b"\x00\x01\x00\x01"
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as channel:
        channel.settimeout(_SECONDS)
        channel.connect((servers[0], 53))
        channel.send(query)
        answer = channel.recv(512)
    code = answer[3] & 15
    if answer[:2] != query[:2] or code not in _ANSWERED:
        raise OSError(f"the resolver forwards nothing (answer {code})")
    return {"detail": f"{servers[0]} resolves names of the outside", "asked": f"{label}.invalid"}
