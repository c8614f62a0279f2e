"""Carry data out in names by the gateway's own name server: a name that is denied must be looked up nowhere.

NVIDIA OpenShell #1169: its stub forwarded each name before the policy was asked.
"""

from __future__ import annotations

from typing import Any

from sandboxd.inside.escapes import _doors, _network

TITLE = "have the gateway look up a denied name"
JUDGE = "arrival"
CLUSTER = "judged"
GROUP = _network.EGRESS
WAITS = True
EXPECTED = {"runc": "the gateway's policy", "runsc": "the gateway's policy"}

_ADDRESS, _TEXT, _SERVER, _IPV6 = 1, 16, 2, 28


def attempt(facts: dict[str, Any]) -> dict[str, Any]:
    server, name = _doors.gateway(facts), facts["denied"]
    codes = set()
    for kind in (_ADDRESS, _TEXT, _SERVER, _IPV6):
        # Letters in mixed case are a channel, too.
        answer = _doors.ask(server, _doors.query(name.title(), kind))
        codes.add(answer[3] & 15)
        if answer[6:8] != b"\0\0":
            return {"detail": "the gateway gives it an address"}
    raise OSError(f"no such name (code {', '.join(map(str, sorted(codes)))})")
