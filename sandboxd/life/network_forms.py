"""The two networks of a gateway as each kind of engine has to have them, and their difference from those it has. Pure."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from sandboxd.engine.networks import Network, Range
from sandboxd.model.labels import NETWORK
from sandboxd.plan.container_name import container_name

if TYPE_CHECKING:
    from collections.abc import Mapping

    from sandboxd.egress.layout import InnerAddresses

OUTER_NAME = "sandboxd-gateways"

# The host gets no address on the bridge, so nothing there can talk to it.
_NO_HOST = "com.docker.network.bridge.inhibit_ipv4"
_NO_NEIGHBOURS = "com.docker.network.bridge.enable_icc"
# Options that an engine adds by itself, or by its own configuration, and that open nothing.
_HARMLESS = {"com.docker.network.driver.mtu", "com.docker.network.enable_ipv4"}
# A macvlan network without a parent is made on a dummy interface, which the engine names.
_DUMMY = "dm-"


class Form(NamedTuple):
    """A way in which an engine makes a network that its host is kept off."""

    driver: str
    options: Mapping[str, str]
    names_host: bool = True
    """Whether the host's address has to be named, which nobody then has."""


_DOCKER = (Form("macvlan", {}), Form("bridge", {_NO_HOST: "true"}))
# Podman's macvlan is on the host's own interface. Its bridge has an address only where one is named, if the network is
# internal and without name service (containers/common, `libnetwork/netavark/config.go`).
_PODMAN = (Form("bridge", {}, names_host=False),)


def forms(is_podman: bool) -> tuple[Form, ...]:
    """The ways in which an engine can make inner networks, the best first."""
    return _PODMAN if is_podman else _DOCKER


def inner(workspace: str, addresses: InnerAddresses, form: Form) -> Network:
    """The inner network of the sandbox with the identity `workspace`."""
    host = addresses.host if form.names_host else ""
    return Network(
        name=container_name(workspace),
        driver=form.driver,
        options=form.options,
        labels={NETWORK: workspace},
        ranges=(Range(addresses.subnet, addresses.members, host),),
        is_internal=True,
    )


def outer(is_podman: bool) -> Network:
    """The network that connects all gateways of an engine to the outside."""
    # Podman cannot part containers of one network; no gateway listens there.
    options = {} if is_podman else {_NO_NEIGHBOURS: "false"}
    return Network(OUTER_NAME, "bridge", options, {NETWORK: ""})


def difference(expected: Network, live: Network) -> str:
    """The first difference of the existing network `live` from `expected`, in words; '' for none."""
    if live.driver != expected.driver:
        return f"its driver is `{live.driver}`"
    if live.is_internal != expected.is_internal:
        return "it is not internal" if expected.is_internal else "it is internal"
    if live.has_ipv6:
        return "it has IPv6"
    if live.labels.get(NETWORK) != expected.labels[NETWORK]:
        return "it has not sandboxd's label"
    if expected.ranges and live.ranges != expected.ranges:
        return "its addresses are others"
    for name in sorted(expected.options.keys() | live.options.keys()):
        value = live.options.get(name, "")
        if value != expected.options.get(name, "") and not _is_harmless(live, name, value):
            return f"its option `{name}` is `{value}`"
    return ""


def _is_harmless(live: Network, name: str, value: str) -> bool:
    if name == "com.docker.network.enable_ipv6":
        return value == "false"
    if live.driver == "macvlan" and name == "parent":
        return value.startswith(_DUMMY)
    return name in _HARMLESS
