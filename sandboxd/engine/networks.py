"""Networks of an engine: listing, making and removing them."""

from __future__ import annotations

import ipaddress
from typing import TYPE_CHECKING, Any, NamedTuple

from sandboxd.engine import podman
from sandboxd.engine.connection import Connection, json_object, json_objects

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from docker.api.client import APIClient

# A bridge comes with firewall rules, which wait for others' to be written.
_MAKE_SECONDS = 30.0
_REFUSED, _GONE, _IN_USE = 403, 404, 409

NAME_SERVICE = "dns"
"""The option that `_podman_options` gives to a network on which Podman answers questions for names, and whose host has an
address for that.
"""


# Podman refuses older ones for networks, and Docker's, by which it is asked elsewhere, among them.
_PODMAN_VERSION = "v4.0.0"


class Range(NamedTuple):
    """Addresses of a network, as text.

    `subnet` are all of them; `given_out` those that the engine assigns to containers, '' for the whole subnet; `host`
    is the engine host's own address, '' for the engine's choice.
    """

    subnet: str
    given_out: str = ""
    host: str = ""


class Network(NamedTuple):
    """A network as the engine describes it, or one that is to be created, with '' as its `id`."""

    name: str
    driver: str
    options: Mapping[str, str]
    labels: Mapping[str, str]
    ranges: tuple[Range, ...] = ()
    is_internal: bool = False
    has_ipv6: bool = False
    id: str = ""

    def request(self) -> dict[str, Any]:
        """The body of `POST /networks/create` for this network."""
        body: dict[str, Any] = {
            "Name": self.name,
            "CheckDuplicate": True,
            "Driver": self.driver,
            "Internal": self.is_internal,
            "EnableIPv6": self.has_ipv6,
            "Options": dict(self.options),
            "Labels": dict(self.labels),
        }
        if self.ranges:
            body["IPAM"] = {"Driver": "default", "Config": [_config(each) for each in self.ranges]}
        return body


class Networks(Connection):
    """The API calls for networks. Any may raise `EngineFailure`."""

    def networks(self) -> list[Network]:
        """All networks of the engine."""
        with self.asking() as session:
            if session.is_podman:
                answer = session._get(_podman_url(session, "json"))
                items = json_objects(session._result(answer, json=True))
                return [_network_of_podman(item) for item in items]
            return [_network(item) for item in json_objects(session.networks())]

    def create_network(self, network: Network) -> str:
        """Make a network and return its id."""
        with self.asking(_MAKE_SECONDS) as session:
            if session.is_podman:
                url, body = _podman_url(session, "create"), _podman_request(network)
                return str(
                    json_object(session._result(session._post_json(url, data=body), json=True))[
                        "id"
                    ]
                )
            # Not `create_network`: without a setting for IPv6 the engine's default would count.
            url = session._url("/networks/create")
            answer = session._post_json(url, data=network.request())
            return str(json_object(session._result(answer, json=True))["Id"])

    def remove_network(self, network: str) -> bool:
        """Remove a network; False when it does not exist, or a container is connected to it."""
        with self.asking(_MAKE_SECONDS, accepted=(_REFUSED, _GONE, _IN_USE)) as session:
            session.remove_network(network)
            return True
        return False

    def connect_network(self, network: str, container: str) -> None:
        """Connect a container to a further network."""
        with self.asking(_MAKE_SECONDS) as session:
            session.connect_container_to_network(container, network)

    def network_gateways(self, name: str) -> list[str]:
        """The engine host's addresses on a network; [] when there is no such network."""
        return [each.host for each in _ranges(self._network(name)) if each.host]

    def network_containers(self, name: str) -> dict[str, str]:
        """The IPv4 addresses of the running containers on a network, by container id."""
        containers = self._network(name).get("Containers") or {}
        return {
            container: (entry.get("IPv4Address") or "").partition("/")[0]
            for container, entry in containers.items()
        }

    def _network(self, name: str) -> dict[str, Any]:
        """A network's description; {} when there is no such network."""
        with self.asking(accepted=(_GONE,)) as session:
            return json_object(session.inspect_network(name))
        return {}


def _network(item: Mapping[str, Any]) -> Network:
    return Network(
        str(item.get("Name") or ""),
        str(item.get("Driver") or ""),
        item.get("Options") or {},
        item.get("Labels") or {},
        tuple(_ranges(item)),
        bool(item.get("Internal")),
        bool(item.get("EnableIPv6")),
        str(item.get("Id") or ""),
    )


def _network_of_podman(item: Mapping[str, Any]) -> Network:
    """A network by its description in Podman's own API."""
    return Network(
        str(item.get("name") or ""),
        str(item.get("driver") or ""),
        _podman_options(item),
        item.get("labels") or {},
        tuple(Range(*each) for each in _podman_ranges(item)),
        bool(item.get("internal")),
        bool(item.get("ipv6_enabled")),
        str(item.get("id") or ""),
    )


def _ranges(item: Mapping[str, Any]) -> Iterable[Range]:
    for config in (item.get("IPAM") or {}).get("Config") or []:
        yield Range(
            str(config.get("Subnet") or ""),
            str(config.get("IPRange") or ""),
            str(config.get("Gateway") or "").removeprefix(podman.NO_ADDRESS),
        )


def _config(addresses: Range) -> dict[str, str]:
    pairs = {
        "Subnet": addresses.subnet,
        "IPRange": addresses.given_out,
        "Gateway": addresses.host,
    }
    return {name: value for name, value in pairs.items() if value}


# Podman's own API: Docker's has no word for a network without name service, or for a range of addresses.


def _podman_url(session: APIClient, what: str) -> str:
    """The address of an action on networks in Podman's own API."""
    return str(session._url(f"/{_PODMAN_VERSION}/libpod/networks/{what}", versioned_api=False))


def _podman_request(network: Network) -> dict[str, Any]:
    """The body of `POST /libpod/networks/create` for `network`, on which Podman answers no questions for names."""
    return {
        "name": network.name,
        "driver": network.driver,
        "internal": network.is_internal,
        "ipv6_enabled": network.has_ipv6,
        "dns_enabled": False,
        "options": dict(network.options),
        "labels": dict(network.labels),
        "subnets": [_podman_subnet(each) for each in network.ranges],
    }


def _podman_options(item: Mapping[str, Any]) -> dict[str, str]:
    """The options of a network in Podman's own description, and `NAME_SERVICE`."""
    named = {NAME_SERVICE: "true"} if item.get("dns_enabled") else {}
    return {**(item.get("options") or {}), **named}


def _podman_ranges(item: Mapping[str, Any]) -> Iterable[tuple[str, str, str]]:
    """Subnet, range that is given out and host's address of each part of a network; '' for what it lacks."""
    for subnet in item.get("subnets") or []:
        lease = subnet.get("lease_range") or {}
        yield (
            str(subnet.get("subnet") or ""),
            _podman_range(str(lease.get("start_ip") or ""), str(lease.get("end_ip") or "")),
            str(subnet.get("gateway") or ""),
        )


def _podman_subnet(addresses: Range) -> dict[str, Any]:
    subnet: dict[str, Any] = {"subnet": addresses.subnet}
    if addresses.given_out:
        given_out = ipaddress.ip_network(addresses.given_out)
        subnet["lease_range"] = {"start_ip": str(given_out[0]), "end_ip": str(given_out[-1])}
    if addresses.host:
        subnet["gateway"] = addresses.host
    return subnet


def _podman_range(first: str, last: str) -> str:
    """The addresses from `first` to `last` as one network; else as ``FIRST-LAST``, '' for none."""
    if not first and not last:
        return ""
    try:
        ends = ipaddress.IPv4Address(first), ipaddress.IPv4Address(last)
        (network,) = ipaddress.summarize_address_range(*ends)
    except ValueError:
        return f"{first}-{last}"
    return str(network)
