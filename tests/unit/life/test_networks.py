"""The networks of a gateway: the first free addresses, and none that somebody else made."""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Any

import pytest

from sandboxd.egress import layout
from sandboxd.engine.networks import Network, Range
from sandboxd.errors import EnvironmentFailure
from sandboxd.life import network_forms, networks
from sandboxd.model.labels import NETWORK
from sandboxd.plan.container_name import container_name
from sandboxd.state import subnets
from tests.unit.engine.fake_engine import PODMAN, answering_to_bodies

FOLDER = "/home/dev/weather"
NAME = container_name(FOLDER)
FIRST, SECOND = "198.18.0.0/19", "198.18.32.0/19"
NO_HOST = {"com.docker.network.bridge.inhibit_ipv4": "true"}
OUTER = {
    "Id": "b",
    "Name": network_forms.OUTER_NAME,
    "Driver": "bridge",
    "Options": {"com.docker.network.bridge.enable_icc": "false"},
    "Labels": {NETWORK: ""},
    "IPAM": {"Config": [{"Subnet": "172.18.0.0/16", "Gateway": "172.18.0.1"}]},
}


def listed(**changes: Any) -> dict[str, Any]:
    """The project's inner network as an engine lists it."""
    place = layout.inner_addresses(FIRST)
    ranges = {"Subnet": place.subnet, "IPRange": place.members, "Gateway": place.host}
    return {
        "Id": "a",
        "Name": NAME,
        "Driver": "bridge",
        "Internal": True,
        "EnableIPv6": False,
        "Options": NO_HOST,
        "Labels": {NETWORK: FOLDER},
        "IPAM": {"Config": [ranges]},
    } | changes


@pytest.fixture(autouse=True)
def state(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A state folder in which the project was given the first subnet."""
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path))
    subnets.note(os.environ, FOLDER, FIRST)


class Served:
    """An engine's networks; `refusals` by driver and subnet are what it says to a request."""

    def __init__(self, *there: dict[str, Any]) -> None:
        self.there = list(there)
        self.refusals: dict[str, str] = {}
        self.requests: list[dict[str, Any]] = []
        self.removed: list[str] = []

    def __call__(self, method: str, target: str, body: bytes) -> tuple[int, object]:
        if method == "DELETE":
            self.removed.append(target.removeprefix("/networks/"))
            return 200, {}
        if method == "GET":
            return 200, self.there
        request = json.loads(body)
        self.requests.append(request)
        subnet = request.get("IPAM", {}).get("Config", [{}])[0].get("Subnet", "")
        for key in (request["Driver"], subnet):
            if key in self.refusals:
                return 500, {"message": self.refusals[key]}
        self.there.append({**request, "Id": f"made-{len(self.requests)}"})
        return 201, {"Id": f"made-{len(self.requests)}"}


def ensure(served: Served) -> networks.Pair:
    with answering_to_bodies(served) as engine:
        return networks.ensure(engine, FOLDER, lambda _text: None)


def test_both_are_made_and_used_again() -> None:
    served = Served()
    networks = ensure(served)
    assert (networks.inner.driver, networks.inner.addresses.subnet) == ("macvlan", FIRST)
    outer, inner = served.requests
    assert (outer["Internal"], outer["EnableIPv6"]) == (False, False)
    assert (inner["Internal"], inner["EnableIPv6"], inner["Options"]) == (True, False, {})
    assert ensure(served) == networks
    assert len(served.requests) == 2


def test_a_kernel_without_dummy_gets_a_bridge_without_the_host() -> None:
    served = Served(OUTER)
    served.refusals["macvlan"] = "operation not supported"
    assert ensure(served).inner.driver == "bridge"
    assert served.requests[-1]["Options"] == NO_HOST


class ServedByPodman:
    """The networks of a Podman, by its own API."""

    def __init__(self, *there: dict[str, Any]) -> None:
        self.there = list(there)

    def __call__(self, method: str, target: str, body: bytes) -> tuple[int, object]:
        assert "/libpod/networks/" in target
        if method == "GET":
            return 200, self.there
        request = {**json.loads(body), "id": f"made-{len(self.there)}"}
        if not request["internal"]:
            request["subnets"] = [{"subnet": "10.89.0.0/24", "gateway": "10.89.0.1"}]
        self.there.append(request)
        return 200, request


def test_podman_gets_a_bridge_on_which_the_host_has_no_address() -> None:
    served = ServedByPodman()
    with answering_to_bodies(served, PODMAN) as engine:
        pair = networks.ensure(engine, FOLDER, lambda _text: None)
        assert networks.ensure(engine, FOLDER, lambda _text: None) == pair
    outer, inner = served.there
    assert (inner["internal"], inner["dns_enabled"], outer["dns_enabled"]) == (True, False, False)
    assert [subnet.keys() for subnet in inner["subnets"]] == [{"subnet", "lease_range"}]
    assert pair.inner.driver == "bridge" and pair.outer_subnets == ("10.89.0.0/24",)


@pytest.mark.parametrize(
    ("changes", "why"),
    [
        ({"dns_enabled": True}, "its option `dns` is `true`"),
        ({"internal": False}, "it is not internal"),
        ({"driver": "macvlan"}, "its driver is `macvlan`"),
        ({"subnets": [{"subnet": FIRST, "gateway": "198.18.0.1"}]}, "its addresses are others"),
    ],
)
def test_a_network_of_podman_with_its_host_on_it_is_refused(
    changes: dict[str, Any], why: str
) -> None:
    served = ServedByPodman()
    with answering_to_bodies(served, PODMAN) as engine:
        networks.ensure(engine, FOLDER, lambda _text: None)
        served.there[1].update(changes)
        with pytest.raises(EnvironmentFailure) as refused:
            networks.pair_of(engine, FOLDER)
    assert why in refused.value.message


def test_addresses_of_other_networks_are_left_alone() -> None:
    other = {"Id": "o", "Name": "other", "IPAM": {"Config": [{"Subnet": "198.18.16.0/28"}]}}
    assert ensure(Served(OUTER, other)).inner.addresses.subnet == SECOND
    assert subnets.subnet_of(os.environ, FOLDER) == SECOND, "generated files name it from now on"


def test_a_network_that_is_there_keeps_its_addresses() -> None:
    subnets.note(os.environ, FOLDER, SECOND)
    assert ensure(Served(OUTER, listed())).inner.addresses.subnet == FIRST
    assert subnets.subnet_of(os.environ, FOLDER) == FIRST


@pytest.mark.parametrize(
    "refusal",
    [
        "Pool overlaps with other one on this address space",
        "failed to allocate gateway (198.18.0.1): Address already in use",
        "subnet 198.18.0.0/19 is already used on the host or by another config",
    ],
)
def test_addresses_that_another_start_took_meanwhile_are_left_to_it(refusal: str) -> None:
    served = Served(OUTER)
    served.refusals[FIRST] = refusal
    assert ensure(served).inner.addresses.subnet == SECOND


def test_no_addresses_left_is_said() -> None:
    pools = [{"Subnet": pool} for pool in layout.POOLS]
    with pytest.raises(EnvironmentFailure, match="all addresses for inner networks"):
        ensure(Served(OUTER, {"Id": "o", "Name": "wide", "IPAM": {"Config": pools}}))


@pytest.mark.parametrize(
    ("changes", "why"),
    [
        ({"Internal": False}, "it is not internal"),
        ({"Driver": "overlay"}, "its driver is `overlay`"),
        ({"EnableIPv6": True}, "it has IPv6"),
        ({"Labels": {}}, "it has not sandboxd's label"),
        ({"Labels": {NETWORK: "/home/dev/other"}}, "it has not sandboxd's label"),
        ({"Options": {}}, "inhibit_ipv4` is ``"),
        ({"Options": NO_HOST | {"com.docker.network.bridge.name": "br0"}}, "is `br0`"),
        ({"Driver": "macvlan", "Options": {"parent": "eth0"}}, "`parent` is `eth0`"),
        ({"IPAM": {"Config": [{"Subnet": "10.0.0.0/8"}]}}, "its addresses are `10.0.0.0/8`"),
        ({"IPAM": {"Config": [{"Subnet": FIRST}]}}, "its addresses are others"),
        ({"IPAM": {"Config": []}}, "its addresses are ``"),
    ],
)
def test_a_network_of_the_name_that_differs_is_refused(changes: dict[str, Any], why: str) -> None:
    with pytest.raises(EnvironmentFailure) as refused:
        ensure(Served(OUTER, listed(**changes)))
    assert why in refused.value.message
    assert refused.value.hint.endswith(f"`docker network rm {NAME}`")


@pytest.mark.parametrize(
    "changes",
    [
        {"Options": NO_HOST | {"com.docker.network.driver.mtu": "1400"}},
        {"Options": NO_HOST | {"com.docker.network.enable_ipv6": "false"}},
        {"Driver": "macvlan", "Options": {"parent": "dm-0123456789ab"}},
        {"Driver": "macvlan", "Options": {}},
    ],
)
def test_what_an_engine_adds_by_itself_is_no_difference(changes: dict[str, Any]) -> None:
    assert ensure(Served(OUTER, listed(**changes))).inner.id == "a"


def test_two_of_the_name_are_refused() -> None:
    with pytest.raises(EnvironmentFailure, match="2 networks named"):
        ensure(Served(OUTER, listed(), listed(Id="c")))


def test_networks_of_projects_that_are_gone_make_room(tmp_path: Any) -> None:
    gone, there = str(tmp_path / "gone"), str(tmp_path)
    served = Served(
        OUTER,
        *(
            {"Id": f"of-{name}", "Name": container_name(folder), "Labels": {NETWORK: folder}}
            for name, folder in (("gone", gone), ("there", there))
        ),
        {"Id": "forged", "Name": "database", "Labels": {NETWORK: gone}},
    )
    ensure(served)
    assert served.removed == ["of-gone"]


def test_a_request_says_no_to_ipv6_whatever_the_engine_would_do() -> None:
    network = Network("n", "bridge", {}, {}, (Range("198.18.0.0/19"),))
    assert network.request()["EnableIPv6"] is False
    assert network.request()["IPAM"]["Config"] == [{"Subnet": "198.18.0.0/19"}]


def test_an_engine_that_makes_none_is_said_in_its_words() -> None:
    served = Served(OUTER)
    served.refusals = {"macvlan": "operation not supported", "bridge": "unsupported option"}
    with pytest.raises(EnvironmentFailure, match="unsupported option"):
        ensure(served)
