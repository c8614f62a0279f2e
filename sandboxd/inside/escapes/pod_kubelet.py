"""Reach the kubelet of the own node, which starts programs in each of its Pods.

Its port 10250 wants a certificate or a token, 10255 answers everybody where it is on. A connection is opened;
nothing is asked. https://kubernetes.io/docs/reference/access-authn-authz/kubelet-authn-authz/
"""

from __future__ import annotations

from typing import Any

from sandboxd.inside.escapes import _network, _pod

TITLE = "reach the kubelet of its node"
JUDGE = "open"
CLUSTER = "only"
GROUP = _network.EGRESS
WAITS = True
EXPECTED = {"runc": "NetworkPolicy", "runsc": "NetworkPolicy"}
REMEDY = "some networks let a Pod reach its own node whatever a NetworkPolicy says: close the kubelet's ports there"

_PORTS = (10250, 10255)


def attempt(facts: dict[str, Any]) -> dict[str, Any]:
    places = [(address, port) for address in facts["host_addresses"] for port in _PORTS]
    return _pod.first_reached(places, "the address of its node is not known")
