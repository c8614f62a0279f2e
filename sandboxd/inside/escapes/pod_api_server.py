"""Reach the API server from a Pod: with any token it tells of the cluster, and old ones answered without.

A connection is opened; nothing is asked. https://kubernetes.io/docs/tasks/run-application/access-api-from-pod/
"""

from __future__ import annotations

import os
from typing import Any

from sandboxd.inside.escapes import _network, _pod

TITLE = "reach the cluster's API server"
JUDGE = "open"
CLUSTER = "only"
GROUP = _network.EGRESS
WAITS = True
EXPECTED = {"runc": "NetworkPolicy", "runsc": "NetworkPolicy"}
REMEDY = _pod.NETWORK_REMEDY


def attempt(facts: dict[str, Any]) -> dict[str, Any]:
    places = [tuple(place) for place in facts["api_server"]]
    host = os.environ.get("KUBERNETES_SERVICE_HOST", "")
    port = os.environ.get("KUBERNETES_SERVICE_PORT", "")
    if host and port.isdigit() and ":" not in host:
        places.append((host, int(port)))
    return _pod.first_reached(dict.fromkeys(places), "its address is not known")
