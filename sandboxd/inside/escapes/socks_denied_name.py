"""Have the gateway's SOCKS door look up and dial a name that nobody allowed."""

from __future__ import annotations

from typing import Any

from sandboxd.inside.escapes import _doors, _network

TITLE = "get a denied name through the SOCKS proxy"
JUDGE = "arrival"
CLUSTER = "judged"
GROUP = _network.EGRESS
WAITS = True
EXPECTED = {"runc": "the gateway's policy", "runsc": "the gateway's policy"}


def attempt(facts: dict[str, Any]) -> dict[str, Any]:
    answer = _doors.socks(_doors.gateway(facts), facts["denied"], 443)
    code = answer[1] if len(answer) > 1 else -1
    if code == 0:
        return {"detail": "a way to it opens"}
    raise OSError(f"refused with code {code}")
