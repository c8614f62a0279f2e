"""Reach what the gateway has on its other side: its outer address, and through it the outer network."""

from __future__ import annotations

from typing import Any

from sandboxd.inside.escapes import _doors, _network
from sandboxd.inside.escapes._kernel import NotApplicable

TITLE = "reach the gateway's outer address"
JUDGE = "token"
GROUP = _network.EGRESS
WAITS = True
EXPECTED = {"runc": "no route", "runsc": "no route"}


def attempt(facts: dict[str, Any]) -> dict[str, Any]:
    _doors.gateway(facts)
    if not facts["outer"]:
        raise NotApplicable("no listener could be opened in the gateway's network")
    return _network.dial_all(facts["outer"])
