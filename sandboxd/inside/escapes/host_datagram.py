"""Send datagrams to the host's addresses: QUIC and DNS leave that way where only TCP is looked at."""

from __future__ import annotations

import socket
from typing import Any

from sandboxd.inside.escapes import _datagrams, _network

TITLE = "send datagrams to the host"
JUDGE = "arrival"
GROUP = _network.EGRESS
EXPECTED = {"runc": "no route", "runsc": "no route"}
DECLARED = _network.OPEN


def attempt(facts: dict[str, Any]) -> dict[str, Any]:
    return _datagrams.send(facts, "host-datagram", [_plain])


def _plain(channel: socket.socket, word: bytes, target: tuple[str, int]) -> None:
    channel.sendto(word, target)
