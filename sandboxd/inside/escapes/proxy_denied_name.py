"""Have the gateway's HTTP proxy look up and dial a name that nobody allowed.

The gateway's own record says whether the name got past its policy.
"""

from __future__ import annotations

from typing import Any

from sandboxd.inside.escapes import _doors, _network

TITLE = "get a denied name through the HTTP proxy"
JUDGE = "arrival"
CLUSTER = "judged"
GROUP = _network.EGRESS
WAITS = True
EXPECTED = {"runc": "the gateway's policy", "runsc": "the gateway's policy"}


def attempt(facts: dict[str, Any]) -> dict[str, Any]:
    address, name = _doors.gateway(facts), facts["denied"]
    answers = [_doors.connect(address, name, 443), _doors.get(address, name, 80)]
    if any(b" 403 " not in answer[:32] for answer in answers):
        return {"detail": f"it says {[answer[:12].decode('latin-1') for answer in answers]}"}
    raise OSError("403 Forbidden")
