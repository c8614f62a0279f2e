"""Reach another Pod of the namespace: other people's databases and development servers.

Only ports are dialled of which the kubelet knows that they answer: those of the probes of Pods that are ready.
"""

from __future__ import annotations

from typing import Any

from sandboxd.inside.escapes import _network, _pod

TITLE = "reach another Pod of the namespace"
JUDGE = "open"
CLUSTER = "only"
GROUP = _network.EGRESS
WAITS = True
EXPECTED = {"runc": "NetworkPolicy", "runsc": "NetworkPolicy"}
REMEDY = _pod.NETWORK_REMEDY


def attempt(facts: dict[str, Any]) -> dict[str, Any]:
    return _pod.first_reached(
        facts["neighbours"], "no other Pod of the namespace is known to answer at a port"
    )
