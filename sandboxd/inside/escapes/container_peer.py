"""Reach another container on the same network: other people's databases and development servers.

`verify` listens in the peer's network for this; a peer that it may not enter is not tried.
"""

from __future__ import annotations

from typing import Any

from sandboxd.inside.escapes import _network
from sandboxd.inside.escapes._kernel import NotApplicable

TITLE = "reach another container on the network"
JUDGE = "token"
GROUP = _network.EGRESS
EXPECTED = {"runc": "a network of its own", "runsc": "a network of its own"}
DECLARED = _network.OPEN


def attempt(facts: dict[str, Any]) -> dict[str, Any]:
    if not facts["peers"]:
        raise NotApplicable("no other container is on its networks")
    last = OSError("no peer")
    for peer in facts["peers"]:
        try:
            return _network.dial([peer["address"]], peer["port"])
        except OSError as error:
            last = error
    raise last
