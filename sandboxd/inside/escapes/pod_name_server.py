"""Ask the cluster's own name server, a Pod of another namespace: it knows each Service, and carries data out.

What it forwards ends at whoever owns the name that was asked for.
"""

from __future__ import annotations

from typing import Any

from sandboxd.inside.escapes import _doors, _network, _pod
from sandboxd.inside.escapes._kernel import NotApplicable

TITLE = "reach the cluster's name server in another namespace"
JUDGE = "open"
CLUSTER = "only"
GROUP = _network.EGRESS
WAITS = True
EXPECTED = {"runc": "NetworkPolicy", "runsc": "NetworkPolicy"}
REMEDY = _pod.NETWORK_REMEDY


def attempt(facts: dict[str, Any]) -> dict[str, Any]:
    servers = facts["name_servers"]
    if not servers:
        raise NotApplicable("its address is not known")
    for server in servers:
        try:
            _doors.ask(server, _doors.query(facts["cluster_names"][0]))
        except OSError:
            continue
        return {"detail": f"{server} answers"}
    return _pod.first_reached([(server, 53) for server in servers], "")
