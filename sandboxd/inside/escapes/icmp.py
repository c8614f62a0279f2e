"""Carry data out by ICMP echo, which filters of TCP and UDP forget; no right is needed for it."""

from __future__ import annotations

import select
import socket
import struct
import time
from typing import Any

from sandboxd.inside.escapes import _network

TITLE = "get an ICMP echo from the host"
JUDGE = "open"
GROUP = _network.EGRESS
WAITS = True
EXPECTED = {"runc": "no route", "runsc": "no route"}
DECLARED = _network.OPEN

_SECONDS, _ECHO_REQUEST, _ECHO_REPLY = 0.5, 8, 0


def attempt(facts: dict[str, Any]) -> dict[str, Any]:
    last = OSError("no address to try")
    asked = 0
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM, socket.IPPROTO_ICMP) as channel:
        channel.setblocking(False)
        for number, address in enumerate(facts["host_addresses"]):
            try:
                channel.sendto(_request(number), (address, 0))
                asked += 1
            except OSError as error:
                last = error
        end = time.monotonic() + _SECONDS
        while asked and select.select([channel], [], [], max(0, end - time.monotonic()))[0]:
            data, sender = channel.recvfrom(512)
            if data[:1] == bytes([_ECHO_REPLY]) and sender[0] in facts["host_addresses"]:
                return {"detail": f"{sender[0]} echoes"}
    raise TimeoutError("no echo") if asked else last


def _request(number: int) -> bytes:
    """An echo request; the kernel puts the identifier in and, for such a socket, the checksum."""
    body = b"sandboxd"
    head = struct.pack(">BBHHH", _ECHO_REQUEST, 0, 0, 0, number)
    words = struct.unpack(f">{len(head + body) // 2}H", head + body)
    total = sum(words)
    total = (total & 0xFFFF) + (total >> 16)
    return struct.pack(">BBHHH", _ECHO_REQUEST, 0, ~total & 0xFFFF, 0, number) + body
