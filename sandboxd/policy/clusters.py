"""The floor's demands on work on clusters: where it may go, and whether secrets may go with it."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from sandboxd.errors import UsageError

if TYPE_CHECKING:
    from sandboxd.policy.floor import Demand, Floor

_HERE = "without `--on`, or with `--here`, it is about this machine"
_ADDRESS = re.compile(
    r"(https?)://([a-z0-9._-]+|\[[0-9a-f:.]+\])(?::0*([0-9]+))?(/[^?#\s]*)?",
    re.ASCII | re.IGNORECASE,
)
_DEFAULT_PORTS = {"https": "443", "http": "80"}


def address(text: str) -> str:
    """The one spelling of the address of an API server, by which those who mean the same one are equal.

    Its scheme and host are small, its default port and slashes at its end are left out. What is no such address stays.
    """
    match = _ADDRESS.fullmatch(text)
    if match is None:
        return text
    scheme, host, port, path = (part or "" for part in match.groups())
    scheme = scheme.lower()
    port = "" if port in ("", _DEFAULT_PORTS[scheme]) else f":{port}"
    return f"{scheme}://{host.lower()}{port}{path.rstrip('/')}"


def require_allowed(floor: Floor, context: str, server: str, namespace: str) -> None:
    """See that each demand of `floor` lets work go to this cluster and namespace.

    :param context: its name in the kubeconfig; a user gives it, so one that looks like an address is none
    :param server: the `address` of the API server
    :raises UsageError: one does not
    """
    demand = obstacle(floor, context, server, namespace)
    if demand is None:
        return
    what, which = f"the cluster of your context `{context}` at `{server}`", "clusters"
    if demand in floor.cluster_namespaces:
        what, which = f"the namespace `{namespace}` of your context `{context}`", "namespaces"
    allowed = ", ".join(f"`{each}`" for each in demand.value) or "none"
    raise UsageError(
        f"{what} is not allowed by `{demand.path}`", f"{which} that it allows: {allowed}; {_HERE}"
    )


def obstacle(floor: Floor, context: str, server: str, namespace: str) -> Demand | None:
    """The first demand of `floor` that does not let work go there, by the words of `require_allowed`."""
    for demand in floor.clusters:
        if not any(_is_meant(each, context, server) for each in demand.value):
            return demand
    return next((each for each in floor.cluster_namespaces if namespace not in each.value), None)


def require_secrets_allowed(floor: Floor) -> None:
    """See that the floor lets secrets of the user go to a cluster.

    :raises UsageError: it does not
    """
    if floor.no_cluster_secrets:
        raise UsageError(
            f"`--secrets-on-cluster` is not allowed by `{floor.path_of('cluster_secrets')}`",
            f"leave it out, for an agent that needs no secret; or run it here: {_HERE}",
        )


def _is_meant(entry: str, context: str, server: str) -> bool:
    if "://" in entry:
        # Whatever it is the address of: anybody can give a context that name.
        return address(entry) == server
    return entry == context
