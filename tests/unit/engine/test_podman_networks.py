"""Networks of Podman by its own API, which has words for what keeps its host off."""

from __future__ import annotations

import json

from sandboxd.engine.networks import Network, Range
from tests.unit.engine.fake_engine import PODMAN, answering_to_bodies

INNER = Network(
    "inner",
    "bridge",
    {},
    {"l": "w"},
    (Range("198.18.0.0/19", "198.18.4.0/22"),),
    is_internal=True,
)
LISTED = {
    "name": "inner",
    "id": "i1",
    "driver": "bridge",
    "subnets": [
        {
            "subnet": "198.18.0.0/19",
            "lease_range": {"start_ip": "198.18.4.0", "end_ip": "198.18.7.255"},
        }
    ],
    "ipv6_enabled": False,
    "internal": True,
    "dns_enabled": False,
    "labels": {"l": "w"},
    "ipam_options": {"driver": "host-local"},
}
"""As Podman 5.4.2 answers."""


def test_a_network_is_made_without_names_and_without_the_host() -> None:
    """With either, Podman gives its bridge an address, by which the host answers."""
    sent = []

    def answer(_method: str, target: str, body: bytes) -> tuple[int, object]:
        sent.append((target, json.loads(body)))
        return 200, {"id": "i1"}

    with answering_to_bodies(answer, PODMAN) as engine:
        assert engine.create_network(INNER) == "i1"
    ((target, body),) = sent
    assert target == "/v4.0.0/libpod/networks/create" or target == "/libpod/networks/create"
    assert (body["dns_enabled"], body["internal"], body["ipv6_enabled"]) == (False, True, False)
    assert body["subnets"] == LISTED["subnets"]


def test_what_was_made_is_read_as_it_was_asked_for() -> None:
    with answering_to_bodies(lambda *_: (200, [LISTED]), PODMAN) as engine:
        assert engine.networks() == [INNER._replace(id="i1")]


def test_what_gives_the_host_an_address_is_seen() -> None:
    subnet = {"subnet": "198.18.0.0/19", "gateway": "198.18.0.1"}
    listed = {**LISTED, "dns_enabled": True, "subnets": [subnet]}
    with answering_to_bodies(lambda *_: (200, [listed]), PODMAN) as engine:
        (network,) = engine.networks()
    assert network.options == {"dns": "true"}
    assert network.ranges == (Range("198.18.0.0/19", "", "198.18.0.1"),)


def test_a_range_that_is_no_network_is_told_by_its_ends() -> None:
    lease = {"start_ip": "198.18.4.3", "end_ip": "198.18.7.255"}
    listed = {**LISTED, "subnets": [{"subnet": "198.18.0.0/19", "lease_range": lease}]}
    with answering_to_bodies(lambda *_: (200, [listed]), PODMAN) as engine:
        (network,) = engine.networks()
    assert network.ranges[0].given_out == "198.18.4.3-198.18.7.255"


def test_no_address_is_no_address() -> None:
    config = {"Subnet": "198.18.0.0/19", "Gateway": "<nil>"}
    with answering_to_bodies(lambda *_: (200, {"IPAM": {"Config": [config]}}), PODMAN) as engine:
        assert engine.network_gateways("inner") == []
