"""Send datagrams to the host past the routing table, by IP_PKTINFO, which names an interface per packet."""

from __future__ import annotations

import socket
import struct
from collections.abc import Callable
from typing import Any

from sandboxd.inside.escapes import _datagrams, _network

TITLE = "send datagrams to the host by an interface"
JUDGE = "arrival"
GROUP = _network.EGRESS
EXPECTED = {"runc": "nobody answers for the host", "runsc": "nobody answers for the host"}
DECLARED = _network.OPEN


def attempt(facts: dict[str, Any]) -> dict[str, Any]:
    numbers = [number for number, name in socket.if_nameindex() if name != "lo"]
    return _datagrams.send(facts, "host-by-interface", [_by(number) for number in numbers])


def _by(interface: int) -> Callable[[socket.socket, bytes, tuple[str, int]], None]:
    def send(channel: socket.socket, word: bytes, target: tuple[str, int]) -> None:
        # struct in_pktinfo: the interface, and no addresses.
        information = struct.pack("=iII", interface, 0, 0)
        channel.sendmsg(
            [word], [(socket.IPPROTO_IP, _datagrams.IP_PKTINFO, information)], 0, target
        )

    return send
