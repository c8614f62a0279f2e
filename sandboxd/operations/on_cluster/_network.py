"""The places by which a start tries whether the NetworkPolicies of its sandbox hold."""

from __future__ import annotations

from typing import TYPE_CHECKING

from sandboxd.cluster import failures, running, surroundings
from sandboxd.cluster.network_trial import Trial, try_network
from sandboxd.egress import layout

if TYPE_CHECKING:
    from typing import Any

    from sandboxd.operations.on_cluster.target import Target
    from sandboxd.plan import cluster as plan_cluster


def tried(target: Target, wishes: plan_cluster.Cluster, gateway: dict[str, Any] | None) -> Trial:
    """Try whether policies hold; without a gateway the API server itself is what must not be reached."""
    if gateway is not None:
        address = str((gateway.get("status") or {}).get("podIP", ""))
        works = (wishes.gateway_address, layout.PROXY_PORT)
        return try_network(target.cluster, target.pod, [(address, layout.PROBE_PORT)], works)
    server = '[ -n "$KUBERNETES_SERVICE_HOST" ] && echo "$KUBERNETES_SERVICE_HOST $KUBERNETES_SERVICE_PORT"'
    _, output = running.quietly(target.cluster, target.pod, ["sh", "-c", server])
    words = output.split()
    if len(words) == 2 and words[1].isdecimal():
        return try_network(target.cluster, target.pod, [(words[0], int(words[1]))], None)
    return try_network(target.cluster, target.pod, _api_server(target), None)


def _api_server(target: Target) -> list[tuple[str, int]]:
    """The API server's address inside the cluster; [] where it cannot be had."""
    try:
        return surroundings.api_server(target.cluster)
    except failures.Refused:
        return []
