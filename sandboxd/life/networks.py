"""The two networks of a sandbox that reaches the outside only through its gateway.

The inner network belongs to one sandbox: its containers and its gateway are on it, and the engine's host is not. `down`
keeps it where a generated file names it; to create one takes 60 ms. The outer network connects the gateways of all
sandboxes of an engine to the outside; nothing listens on it.

A network is found by its name and its label, which anybody can set. So it is used only if it is exactly as sandboxd
would create it.
"""

from __future__ import annotations

import ipaddress
import os
from typing import TYPE_CHECKING, NamedTuple

from sandboxd.egress import layout
from sandboxd.engine import failures
from sandboxd.errors import EnvironmentFailure
from sandboxd.life import network_forms
from sandboxd.life.network_forms import OUTER_NAME, Form, difference
from sandboxd.model.labels import NETWORK
from sandboxd.model.sandbox_id import workspace_of
from sandboxd.plan.container_name import container_name
from sandboxd.state import subnets

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Sequence

    from sandboxd.engine.client import Engine
    from sandboxd.engine.networks import Network

# An engine shares a subnet between networks that give out other parts of it, up to the host's address.
_OCCUPIED = ("overlap", "address already in use", "already used on the host")


class Inner(NamedTuple):
    """The inner network of a sandbox."""

    name: str
    id: str
    addresses: layout.InnerAddresses
    driver: str
    """``macvlan``, to which the host is not connected, or ``bridge``, on which the host has no address."""


class Pair(NamedTuple):
    """The inner and the outer network of one gateway."""

    inner: Inner
    outer: str
    """The id of the outer network."""
    outer_subnets: tuple[str, ...]


def ensure(engine: Engine, workspace: str, progress: Callable[[str], None]) -> Pair:
    """Return the networks of a sandbox's gateway, creating those that are missing.

    The inner network gets the subnet that generated files name, unless another network uses its addresses. The subnet
    is saved for these files.

    :param workspace: the sandbox's identity
    :raises EnvironmentFailure: one cannot be created, or a network of its name differs from the one that sandboxd makes
    """
    networks = engine.networks()
    is_podman = engine.is_podman()
    outer = _find_by_name(OUTER_NAME, networks) or _make_outer(engine, is_podman)
    _refuse_other(network_forms.outer(is_podman), outer)
    inner = _find_by_name(container_name(workspace), networks)
    if inner is None:
        _sweep(engine, networks)
        progress("making the inner network of this project")
        inner = _make_inner(engine, workspace, networks, network_forms.forms(is_podman))
    pair = _pair(workspace, inner, outer, is_podman)
    subnets.note(os.environ, workspace, pair.inner.addresses.subnet)
    return pair


def pair_of(engine: Engine, workspace: str) -> Pair | None:
    """The networks of a sandbox's gateway; None if one of them does not exist.

    :param workspace: the sandbox's identity
    :raises EnvironmentFailure: one differs from the network that sandboxd makes
    """
    networks = engine.networks()
    inner, outer = (
        _find_by_name(container_name(workspace), networks),
        _find_by_name(OUTER_NAME, networks),
    )
    if inner is None or outer is None:
        return None
    is_podman = engine.is_podman()
    _refuse_other(network_forms.outer(is_podman), outer)
    return _pair(workspace, inner, outer, is_podman)


def remove(engine: Engine, workspace: str) -> None:
    """Remove the inner network of a sandbox; the engine keeps it if a container is still on it.

    :param workspace: the sandbox's identity
    """
    for network in engine.networks():
        if network.labels.get(NETWORK) == workspace and network.name == container_name(workspace):
            engine.remove_network(network.id)


def count_inner(engine: Engine) -> int:
    """The number of inner networks of all sandboxes on the engine."""
    return sum(bool(network.labels.get(NETWORK)) for network in engine.networks())


def _find_by_name(name: str, networks: Iterable[Network]) -> Network | None:
    """:raises EnvironmentFailure: there are several, which older engines allow"""
    matching = [network for network in networks if network.name == name]
    if len(matching) > 1:
        raise EnvironmentFailure(
            f"the engine has {len(matching)} networks named `{name}`",
            f"remove them by their ids: `docker network rm {' '.join(n.id[:12] for n in matching)}`",
        )
    return matching[0] if matching else None


def _pair(workspace: str, inner: Network, outer: Network, is_podman: bool) -> Pair:
    checked = _check(workspace, inner, network_forms.forms(is_podman))
    return Pair(checked, outer.id, tuple(r.subnet for r in outer.ranges))


def _check(workspace: str, network: Network, forms: Sequence[Form]) -> Inner:
    """:raises EnvironmentFailure: the network is not as we make it"""
    subnet = network.ranges[0].subnet if network.ranges else ""
    try:
        addresses = layout.inner_addresses(subnet)
    except ValueError:
        raise _not_ours(network, f"its addresses are `{subnet}`") from None
    form = next((form for form in forms if form.driver == network.driver), forms[-1])
    _refuse_other(network_forms.inner(workspace, addresses, form), network)
    return Inner(network.name, network.id, addresses, form.driver)


def _refuse_other(expected: Network, live: Network) -> None:
    why = difference(expected, live)
    if why:
        raise _not_ours(live, why)


def _not_ours(network: Network, why: str) -> EnvironmentFailure:
    return EnvironmentFailure(
        f"the network `{network.name}` is not as sandboxd makes it: {why}",
        f"remove it, then run `sandboxd up` again: `docker network rm {network.name}`",
    )


def _make_outer(engine: Engine, is_podman: bool) -> Network:
    try:
        engine.create_network(network_forms.outer(is_podman))
    except failures.EngineFailure as error:
        if not _is_taken(error):
            raise _cannot(OUTER_NAME, error) from None
    network = _find_by_name(OUTER_NAME, engine.networks())
    if network is None:
        raise EnvironmentFailure(
            f"the network `{OUTER_NAME}` was removed while it was made", "run `sandboxd up` again"
        )
    return network


def _make_inner(
    engine: Engine, workspace: str, networks: Sequence[Network], forms: Sequence[Form]
) -> Network:
    for addresses in _free_subnets(networks, subnets.subnet_of(os.environ, workspace)):
        if _create(engine, workspace, addresses, forms):
            network = _find_by_name(container_name(workspace), engine.networks())
            if network is not None:
                return network
    raise EnvironmentFailure(
        f"all addresses for inner networks ({', '.join(layout.POOLS)}) are in use by other networks",
        f"`docker network ls --filter label={NETWORK}` lists those of sandboxd: remove what no project "
        "needs (`docker network rm NAME`)",
    )


def _create(
    engine: Engine, workspace: str, addresses: layout.InnerAddresses, forms: Sequence[Form]
) -> bool:
    """Make the inner network in the first of `forms` that the engine can, or find it made; False: its addresses are in use.

    A kernel without the `dummy` driver says so within a millisecond.
    """
    reason = failures.EngineFailure("")
    for form in forms:
        try:
            engine.create_network(network_forms.inner(workspace, addresses, form))
            return True
        except failures.EngineFailure as error:
            if _is_taken(error):
                return True
            if any(words in error.detail.lower() for words in _OCCUPIED):
                return False
            reason = error
    raise _cannot(container_name(workspace), reason) from None


def _free_subnets(networks: Iterable[Network], wanted: str) -> Iterator[layout.InnerAddresses]:
    """Inner networks whose addresses no network of the engine has; another start may take them meanwhile.

    :param wanted: the subnet of the first one, where it is free
    """
    used = [net for network in networks for r in network.ranges if (net := _ipv4(r.subnet))]
    for subnet in (wanted, *layout.subnets()):
        if not any(ipaddress.IPv4Network(subnet).overlaps(other) for other in used):
            yield layout.inner_addresses(subnet)


def _ipv4(subnet: str) -> ipaddress.IPv4Network | None:
    try:
        return ipaddress.IPv4Network(subnet, strict=False)
    except ValueError:
        return None


def _sweep(engine: Engine, networks: Iterable[Network]) -> None:
    """Remove unused inner networks of projects whose folder no longer exists."""
    if not engine.is_local:
        return
    for network in networks:
        workspace = network.labels.get(NETWORK) or ""
        if not workspace or network.name != container_name(workspace):
            continue
        # A disk that is not mounted now comes back: the network is made again then.
        if not os.path.lexists(workspace_of(workspace)):
            engine.remove_network(network.id)


def _is_taken(error: failures.EngineFailure) -> bool:
    return "already exists" in error.detail


def _cannot(name: str, error: failures.EngineFailure) -> EnvironmentFailure:
    return EnvironmentFailure(
        f"the engine makes no network `{name}`: {error.detail or error.message}",
        'names through a gateway need one; without: `[network] mode = "none"` in sandboxd.toml',
    )
