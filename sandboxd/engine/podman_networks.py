"""Networks of Podman by its own API: Docker's has no word for one without name service, or for a range of addresses."""

from __future__ import annotations

import ipaddress
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from docker.api.client import APIClient

    from sandboxd.engine.networks import Network, Range

NAME_SERVICE = "dns"
"""The option that `options` gives to a network on which Podman answers questions for names, and whose host has an
address for that.
"""


# Podman refuses older ones for networks, and Docker's, by which it is asked elsewhere, among them.
_VERSION = "v4.0.0"


def url(session: APIClient, what: str) -> str:
    """The address of an action on networks in Podman's own API."""
    return str(session._url(f"/{_VERSION}/libpod/networks/{what}", versioned_api=False))


def request(network: Network) -> dict[str, Any]:
    """The body of `POST /libpod/networks/create` for `network`, on which Podman answers no questions for names."""
    return {
        "name": network.name,
        "driver": network.driver,
        "internal": network.is_internal,
        "ipv6_enabled": network.has_ipv6,
        "dns_enabled": False,
        "options": dict(network.options),
        "labels": dict(network.labels),
        "subnets": [_subnet(each) for each in network.ranges],
    }


def options(item: Mapping[str, Any]) -> dict[str, str]:
    """The options of a network in Podman's own description, and `NAME_SERVICE`."""
    named = {NAME_SERVICE: "true"} if item.get("dns_enabled") else {}
    return {**(item.get("options") or {}), **named}


def ranges(item: Mapping[str, Any]) -> Iterable[tuple[str, str, str]]:
    """Subnet, range that is given out and host's address of each part of a network; '' for what it lacks."""
    for subnet in item.get("subnets") or []:
        lease = subnet.get("lease_range") or {}
        yield (
            str(subnet.get("subnet") or ""),
            _network_of(str(lease.get("start_ip") or ""), str(lease.get("end_ip") or "")),
            str(subnet.get("gateway") or ""),
        )


def _subnet(addresses: Range) -> dict[str, Any]:
    subnet: dict[str, Any] = {"subnet": addresses.subnet}
    if addresses.given_out:
        given_out = ipaddress.ip_network(addresses.given_out)
        subnet["lease_range"] = {"start_ip": str(given_out[0]), "end_ip": str(given_out[-1])}
    if addresses.host:
        subnet["gateway"] = addresses.host
    return subnet


def _network_of(first: str, last: str) -> str:
    """The addresses from `first` to `last` as one network; else as ``FIRST-LAST``, '' for none."""
    if not first and not last:
        return ""
    try:
        ends = ipaddress.IPv4Address(first), ipaddress.IPv4Address(last)
        (network,) = ipaddress.summarize_address_range(*ends)
    except ValueError:
        return f"{first}-{last}"
    return str(network)
