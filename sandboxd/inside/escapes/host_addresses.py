"""Reach a service of the host at any of its addresses: those of its bridges, and of its own network.

A network of containers that is called internal keeps its members from others, not from the host.
"""

from __future__ import annotations

from typing import Any

from sandboxd.inside.escapes import _network
from sandboxd.inside.escapes._kernel import NotApplicable

TITLE = "reach a host service at any of its addresses"
JUDGE = "token"
GROUP = _network.EGRESS
WAITS = True
EXPECTED = {"runc": "no route", "runsc": "no route"}
DECLARED = _network.OPEN


def attempt(facts: dict[str, Any]) -> dict[str, Any]:
    if not facts["host_port"]:
        raise NotApplicable("the host has no listener there")
    return _network.dial_all([(address, facts["host_port"]) for address in facts["host_addresses"]])
