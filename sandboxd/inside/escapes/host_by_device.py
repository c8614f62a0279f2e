"""Send datagrams to the host past the routing table, by a socket that is bound to a device.

A bridge whose host has no address on it still hands the host what is addressed to its card, and the
host takes it for whichever of its addresses it names, unless it filters by the reverse path.
"""

from __future__ import annotations

import socket
from collections.abc import Callable
from typing import Any

from sandboxd.inside.escapes import _datagrams, _network

TITLE = "send datagrams to the host by a device"
JUDGE = "arrival"
GROUP = _network.EGRESS
EXPECTED = {"runc": "nobody answers for the host", "runsc": "nobody answers for the host"}
DECLARED = _network.OPEN


def attempt(facts: dict[str, Any]) -> dict[str, Any]:
    return _datagrams.send(facts, "host-by-device", [_by(name) for name in _datagrams.devices()])


def _by(device: str) -> Callable[[socket.socket, bytes, tuple[str, int]], None]:
    def send(channel: socket.socket, word: bytes, target: tuple[str, int]) -> None:
        channel.setsockopt(socket.SOL_SOCKET, socket.SO_BINDTODEVICE, device.encode())
        channel.sendto(word, target)

    return send
