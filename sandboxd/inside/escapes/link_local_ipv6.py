"""Send datagrams to the host's link-local IPv6 address, which each interface gives itself.

Rules that are written for IPv4 do not see it, and no router or setting of the network is needed.
"""

from __future__ import annotations

import errno
import socket
from typing import Any

from sandboxd.inside.escapes import _network
from sandboxd.inside.escapes._kernel import NotApplicable

TITLE = "send datagrams to the host by IPv6 on the link"
JUDGE = "arrival"
GROUP = _network.EGRESS
EXPECTED = {"runc": "no IPv6", "runsc": "no IPv6"}
DECLARED = _network.OPEN

_ALL_NODES, _ALL_ROUTERS = "ff02::1", "ff02::2"


def attempt(facts: dict[str, Any]) -> dict[str, Any]:
    if not facts["datagram6_port"]:
        raise NotApplicable("the host has no IPv6")
    word = f"{facts['word']} link-local-ipv6".encode()
    last = OSError(errno.ENETUNREACH, "no interface")
    sent = 0
    for number, name in socket.if_nameindex():
        for address in (_ALL_NODES, _ALL_ROUTERS):
            if name == "lo":
                continue
            try:
                with socket.socket(socket.AF_INET6, socket.SOCK_DGRAM) as channel:
                    channel.setblocking(False)
                    channel.sendto(word, (address, facts["datagram6_port"], 0, number))
                    sent += 1
            except OSError as error:
                last = error
    if not sent:
        raise last
    return {"detail": f"{sent} datagrams were sent"}
