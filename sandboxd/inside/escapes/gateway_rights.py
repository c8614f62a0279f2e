"""A gateway that kept rights, or whose kernel forwards packets, would be a router. The host looks at it."""

from __future__ import annotations

from typing import Any

from sandboxd.inside.escapes import _doors, _network

TITLE = "find a gateway with rights, or one that forwards"
JUDGE = "arrival"
CLUSTER = "the rights of the gateway are seen from its node"
GROUP = _network.EGRESS
EXPECTED = {"runc": "no right left, no forwarding", "runsc": "no right left, no forwarding"}


def attempt(facts: dict[str, Any]) -> dict[str, Any]:
    _doors.gateway(facts)
    raise OSError("no right, its filter, no forwarding, as seen by the host")
