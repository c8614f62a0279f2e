"""What the policy minimum says about clusters: where work may go, and whether secrets may go there."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from sandboxd.errors import UsageError

if TYPE_CHECKING:
    from sandboxd.policy.floor import Demand, Floor

_HERE = "without `--on`, or with `--here`, it is about this machine"
_ADDRESS = re.compile(
    r"(https?)://([a-z0-9._-]+|\[[0-9a-f:.]+\])(?::([0-9]+))?(/[^?#\s]*)?",
    re.ASCII | re.IGNORECASE,
)
_DEFAULT_PORTS = {"https": "443", "http": "80"}


def address(text: str) -> str:
    """The address of an API server in a normal form, in which equal servers have equal addresses.

    Scheme and host are in lower case, without the default port and trailing slashes. A text that is no such address is
    returned unchanged.
    """
    match = _ADDRESS.fullmatch(text)
    if match is None:
        return text
    scheme, host, port, path = (part or "" for part in match.groups())
    scheme = scheme.lower()
    port = port.lstrip("0") or port[:1]
    port = "" if port in ("", _DEFAULT_PORTS[scheme]) else f":{port}"
    return f"{scheme}://{host.lower()}{port}{path.rstrip('/')}"


def require_allowed(floor: Floor, context: str, server: str, namespace: str) -> None:
    """Refuse a cluster and namespace to which some demand of `floor` does not let work go.

    :param context: the context's name in the kubeconfig. As the user chose it, one that looks like an address is
        ignored
    :param server: the API server's `address`
    :raises UsageError: some demand does not allow it
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
    """The first demand of `floor` that forbids work there; None if none does. The parameters are those of
    `require_allowed`.
    """
    for demand in floor.clusters:
        if not any(_is_meant(each, context, server) for each in demand.value):
            return demand
    return next((each for each in floor.cluster_namespaces if namespace not in each.value), None)


def require_secrets_allowed(floor: Floor) -> None:
    """Refuse to send the user's secrets to a cluster if the policy minimum forbids it.

    :raises UsageError: it does
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
