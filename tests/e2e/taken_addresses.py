"""Addresses of the pool of inner networks that somebody else's network has."""

from __future__ import annotations

import contextlib
import secrets
from collections.abc import Iterator
from ipaddress import IPv4Network

from sandboxd.egress import layout
from sandboxd.engine.client import Engine
from sandboxd.engine.failures import EngineFailure
from sandboxd.engine.networks import Network, Range


@contextlib.contextmanager
def taken(api: Engine, subnet: str) -> Iterator[None]:
    """Another network has the addresses of `subnet`."""
    parts = layout.inner_addresses(subnet)
    name = f"sandboxd-test-{secrets.token_hex(4)}"
    ranges = (Range(subnet, parts.members, parts.host),)
    # Refused where a network of another test has them, to the same effect.
    with contextlib.suppress(EngineFailure):
        api.create_network(Network(name, "bridge", {}, {}, ranges, is_internal=True))
    in_use = [IPv4Network(each.subnet) for network in api.networks() for each in network.ranges]
    assert any(IPv4Network(subnet).overlaps(each) for each in in_use)
    try:
        yield
    finally:
        for network in api.networks():
            if network.name == name:
                api.remove_network(network.id)
