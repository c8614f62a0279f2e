"""Have the gateway's HTTP proxy dial an address: the host's own, its loopback, or by a name of the host.

gh-aw-firewall #1160; docker/sbx-releases #546 for the aliases.
"""

from __future__ import annotations

from typing import Any

from sandboxd.inside.escapes import _doors, _network
from sandboxd.inside.escapes._kernel import NotApplicable

TITLE = "have the HTTP proxy dial an address of the host"
JUDGE = "token"
GROUP = _network.EGRESS
WAITS = True
EXPECTED = {"runc": "the gateway refuses addresses", "runsc": "the gateway refuses addresses"}

_NAMES = (
    "localhost",
    "host.docker.internal",
    "gateway.docker.internal",
    "127.1",
    "[::ffff:127.0.0.1]",
)


def attempt(facts: dict[str, Any]) -> dict[str, Any]:
    address = _doors.gateway(facts)
    if not facts["host_port"]:
        raise NotApplicable("the host has no listener there")
    answer = b""
    # Few: the gateway records no more than fifty in a second.
    tries = [(_doors.get, facts["host_addresses"][-1])]
    tries += [(_doors.connect, host) for host in [*facts["host_addresses"][:3], *_NAMES]]
    for way, host in tries:
        answer = way(address, host, facts["host_port"])
        if b" 200 " in answer[:32]:
            return {"token": _doors.banner(answer), "detail": f"a way to {host}"}
    raise OSError(f"refused: {answer.partition(bytes([13]))[0].decode('latin-1')}")
