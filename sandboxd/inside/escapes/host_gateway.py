"""Reach a service of the host at the network's gateway address.

On an ordinary bridge every service that the host binds to all addresses (databases, debuggers,
development servers without a password) answers there.
"""

from __future__ import annotations

import socket
import struct
from typing import Any

from sandboxd.inside.escapes import _network
from sandboxd.inside.escapes._kernel import NotApplicable, read_text

TITLE = "reach a host service at the gateway"
JUDGE = "token"
GROUP = _network.EGRESS
EXPECTED = {"runc": "no route", "runsc": "no route"}
DECLARED = _network.OPEN


def attempt(facts: dict[str, Any]) -> dict[str, Any]:
    if not facts["gateway_port"]:
        raise NotApplicable("the host has no listener there")
    addresses = list(facts["gateways"])
    for line in read_text("/proc/net/route").splitlines()[1:]:
        fields = line.split()
        if len(fields) > 2 and fields[1] == "00000000":
            addresses.append(socket.inet_ntoa(struct.pack("=I", int(fields[2], 16))))
    # Not by DNS: without a server to answer it would take longer than all attempts together.
    for line in read_text("/etc/hosts").splitlines():
        words = line.split()
        if "host.docker.internal" in words[1:]:
            addresses.append(words[0])
    return _network.dial(dict.fromkeys(addresses), facts["gateway_port"])
