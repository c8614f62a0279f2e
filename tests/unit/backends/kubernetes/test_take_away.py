"""The objects of a sandbox on a cluster, with a cluster that only remembers them."""

from __future__ import annotations

from typing import Any

import pytest

from sandboxd.backends.kubernetes import api, waiting
from sandboxd.backends.kubernetes import objects as pod_objects
from sandboxd.backends.kubernetes.kubeconfig import Context
from sandboxd.errors import EnvironmentFailure
from sandboxd.model.labels import GATEWAY
from sandboxd.plan import cluster
from sandboxd.plan.cluster import Cluster
from sandboxd.plan.plan import Plan
from tests.unit.plan.examples import RUNC_GRANTED, plan

OPTIONS = Cluster(gateway_image="python:3-slim")


class Remembering:
    """Keeps objects by kind and name, and gives each Service an address, as a cluster does."""

    context = Context("team", "shop", {"server": "https://10.0.0.1"}, {}, "")

    def __init__(self, given: str = "10.96.0.7") -> None:
        self.objects: dict[tuple[str, str], dict[str, Any]] = {}
        self.applied: list[dict[str, Any]] = []
        self.deleted: list[tuple[str, str]] = []
        self.gateways: list[str] = []
        self._given = given

    def get(self, kind: api.Kind, name: str, *_: object) -> dict[str, Any] | None:
        return self.objects.get((kind.plural, name))

    def list(self, kind: api.Kind, labels: dict[str, str]) -> list[dict[str, Any]]:
        """The gateway's Pods, of which one goes with each look."""
        assert (kind, labels) == (api.POD, {GATEWAY: NAME})
        self.gateways = self.gateways[1:]
        self.deleted += [("looks", "")]
        return [
            {
                "metadata": {
                    "name": each,
                    "ownerReferences": [{"name": f"{NAME}-gateway-5d4f", "controller": True}],
                },
                "status": {"phase": "Running"},
            }
            for each in self.gateways
        ]

    def apply(self, document: dict[str, Any]) -> dict[str, Any]:
        self.applied.append(document)
        return {**document, "spec": {**document["spec"], "clusterIP": self._given}}

    def delete(self, kind: api.Kind, name: str) -> bool:
        self.deleted.append((kind.plural, name))
        return self.objects.pop((kind.plural, name), None) is not None


def planned() -> Plan:
    return plan(
        '[network]\nallow = ["api.example.com"]', cluster.facts(OPTIONS), grants=RUNC_GRANTED
    )


NAME = cluster.name_of(planned(), OPTIONS)


def address(remembering: Any) -> str:
    return pod_objects.gateway_address(remembering, planned(), OPTIONS, NAME)


def test_the_gateway_has_the_address_that_its_service_has() -> None:
    remembering = Remembering()
    remembering.objects["services", f"{NAME}-gateway"] = {"spec": {"clusterIP": "10.96.0.9"}}
    assert address(remembering) == "10.96.0.9"
    assert remembering.applied == []


def test_a_service_that_is_missing_is_made_and_its_address_left_to_the_cluster() -> None:
    remembering = Remembering("10.96.0.7")
    assert address(remembering) == "10.96.0.7"
    [made] = remembering.applied
    assert (made["kind"], made["metadata"]["name"]) == ("Service", f"{NAME}-gateway")
    assert "clusterIP" not in made["spec"]


@pytest.mark.parametrize(
    ("given", "words"),
    [
        ("", "has no address"),
        ("None", "has the address `None`"),
        ("fd00:10:96::7", "has the address `fd00:10:96::7`"),
    ],
)
@pytest.mark.parametrize("is_there", [True, False])
def test_a_service_without_an_address_to_reach_it_by_is_refused(
    given: str, words: str, is_there: bool
) -> None:
    remembering = Remembering(given)
    if is_there:
        spec = {"clusterIP": given} if given else {}
        remembering.objects["services", f"{NAME}-gateway"] = {"spec": spec}
    with pytest.raises(EnvironmentFailure, match=f"the Service `{NAME}-gateway` {words}") as caught:
        address(remembering)
    assert f"`kubectl --context team -n shop delete service {NAME}-gateway`" in caught.value.hint


@pytest.mark.parametrize("moment", ["soon", "", "9999-12-31T23:59:59Z", "2026-13-01T00:00:00Z"])
def test_a_cluster_that_says_no_time_of_making_is_named(moment: str) -> None:
    with pytest.raises(EnvironmentFailure) as told:
        pod_objects._later(moment, 60)
    assert f"made an object at `{moment}`, which is no time" in told.value.message
    assert pod_objects._later("2026-01-01T00:00:00Z", 60) == "2026-01-01T00:01:00Z"


def test_of_a_sandbox_that_never_ran_nothing_is_waited_for() -> None:
    remembering: Any = Remembering()
    assert not pod_objects.take_away(remembering, NAME)


def test_all_that_export_writes_is_taken_away_the_pod_first_and_its_closing_last() -> None:
    remembering: Any = Remembering()
    pod_objects.take_away(remembering, NAME)
    plurals = {
        "Pod": "pods",
        "Deployment": "deployments",
        "Service": "services",
        "ConfigMap": "configmaps",
        "NetworkPolicy": "networkpolicies",
    }
    options = OPTIONS._replace(gateway_address="10.96.0.7")
    made = {
        (plurals[each["kind"]], each["metadata"]["name"])
        for each in pod_objects.written(planned(), options)
    }
    assert made <= set(remembering.deleted)
    order = [plural for plural, _ in remembering.deleted]
    assert order[0] == "pods"
    assert order[-2:] == ["networkpolicies", "networkpolicies"]


def test_the_gateway_stays_closed_until_none_of_its_pods_runs(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(waiting, "_LOOK_SECONDS", 0.0)
    remembering: Any = Remembering()
    remembering.gateways = ["old", "older", "oldest"]
    pod_objects.take_away(remembering, NAME)
    order = [plural for plural, _ in remembering.deleted]
    assert order[-5:] == [*["looks"] * 3, "networkpolicies", "networkpolicies"]
    assert order.index("deployments") < order.index("looks")
