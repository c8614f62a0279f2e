"""The addresses on the inner network of a sandbox, and their owners."""

from __future__ import annotations

import functools
import ipaddress
from collections.abc import Iterable
from typing import NamedTuple

PREFIX = 19
"""The size of an inner network: 8,190 addresses, half of them synthetic."""

POOLS = ("198.18.0.0/15", "10.128.0.0/10")
"""Where inner networks come from, the first that has room. RFC 2544 reserves the first range for
measurements, so no host that a sandbox may want to reach has an address there."""

PROXY_PORT, SOCKS_PORT, ASK_PORT = 3128, 1080, 3129
"""Ports of the gateway on the inner network: HTTP proxy, SOCKS5, and questions from inside."""

DNS_PORT = 53
POD_DNS_PORT, PROBE_PORT = 1053, 8080
"""In a Pod: its user may not listen below 1024, so its Service has the port 53; and who looks after it asks."""

POD_CREDENTIALS = "/run/sandboxd/credentials.json"
"""In a Pod: a `messages.SetCredentials`, in memory of its node."""

POD_FLAGS = ("-I", "-S", "-B")
"""Of the Python of a Pod: the archive of the gateway alone is on its module path."""

CONTROL_FLAG = "--control"
"""An argument of the gateway's program: with others it serves its control socket, alone it joins that."""

OWN_PORTS = frozenset([DNS_PORT, PROXY_PORT, SOCKS_PORT, ASK_PORT])
"""Ports of the gateway that no credential can have."""

GATEWAY_NAME = "gateway.sandboxd.internal"
"""The gateway's own name inside, the same in each sandbox: files that keep a URL stay true elsewhere."""


class InnerAddresses(NamedTuple):
    """The addresses of one inner network, as texts."""

    subnet: str
    host: str
    """The engine would give it to its host; nobody must answer there."""
    gateway: str
    members: str
    """The range that the engine gives out to the workspace and its services."""
    synthetic: str
    """The range whose addresses stand for names."""


_FIRST_SERVICE, _MOST_SERVICES = 512, 512


def services(addresses: InnerAddresses, names: Iterable[tuple[str, str]]) -> dict[str, str]:
    """The address of each of a project's services by name, out of those that the engine does not assign by itself.

    :param names: (name, service that it leads to), as in a plan's `Policy.services`
    """
    owners = list(dict.fromkeys(owner for _, owner in names))
    assert len(owners) <= _MOST_SERVICES
    network = ipaddress.IPv4Network(addresses.subnet)
    return {owner: str(network[_FIRST_SERVICE + number]) for number, owner in enumerate(owners)}


def subnets() -> tuple[str, ...]:
    """All subnets that an inner network can have, in the order in which they are given out."""
    return tuple(subnet for pool in POOLS for subnet in subnets_of(pool))


@functools.cache
def subnets_of(pool: str) -> tuple[str, ...]:
    """The subnets of one of `POOLS`."""
    return tuple(str(net) for net in ipaddress.IPv4Network(pool).subnets(new_prefix=PREFIX))


def pod_addresses(address: str) -> InnerAddresses:
    """The addresses for a gateway that is a Pod at `address`: there it has no other."""
    return InnerAddresses(f"{address}/32", "", address, "", "")


def inner_addresses(subnet: str) -> InnerAddresses:
    """The addresses of the inner network `subnet`.

    :raises ValueError: it is no network of the size `PREFIX`
    """
    network = ipaddress.IPv4Network(subnet)
    if network.prefixlen != PREFIX:
        raise ValueError(f"`{subnet}` is not a /{PREFIX}")
    _, synthetic = network.subnets(prefixlen_diff=1)
    return InnerAddresses(
        str(network),
        str(network[1]),
        str(network[2]),
        f"{network[1024]}/22",
        str(synthetic),
    )
