"""What is known around a Pod, and that what nobody may ask is not known."""

from __future__ import annotations

import json
from typing import Any

import pytest

from sandboxd.backends.kubernetes import api, logs, surroundings
from sandboxd.backends.kubernetes.failures import Refused
from sandboxd.backends.kubernetes.kubeconfig import Context
from sandboxd.errors import EnvironmentFailure
from sandboxd.model.labels import GATEWAY

READY = {"conditions": [{"type": "Ready", "status": "True"}]}


class Answers:
    """Has objects by kind, namespace and name; each of `refused` may not be read."""

    context = Context("team", "shop", {"server": "https://10.0.0.1"}, {}, "")

    def __init__(self, *objects: tuple[api.Kind, str, dict[str, Any]], refused: int = 0) -> None:
        self.objects, self.refused = objects, refused

    def get(self, kind: api.Kind, name: str, namespace: str = "") -> dict[str, Any] | None:
        if self.refused:
            raise Refused(self.refused, "no", "")
        found = [o for k, n, o in self.objects if (k, n) == (kind, namespace)]
        return next((o for o in found if o["metadata"]["name"] == name), None)

    def list(self, kind: api.Kind, labels: Any = None, **_: Any) -> list[dict[str, Any]]:
        wanted = (labels or {}).items()
        return [o for k, _, o in self.objects if k == kind and wanted <= o["metadata"].get("labels", {}).items()]  # fmt: skip


def named(name: str, **rest: Any) -> dict[str, Any]:
    return {"metadata": {"name": name}, **rest}


POD = {"metadata": {"name": "x"}, "spec": {"nodeName": "n1"}, "status": {"hostIP": "10.0.0.9"}}
INFO = {"bootID": "b", "containerRuntimeVersion": "containerd://2", "kernelVersion": "6.1"}


def test_a_node_and_what_is_left_of_it_without_the_right() -> None:
    cluster: Any = Answers((api.NODE, "", named("n1", status={"nodeInfo": INFO})))
    node = surroundings.node_of(cluster, POD)
    assert node[:5] == ("n1", "10.0.0.9", "b", "containerd://2", "6.1")
    assert node.state == "not ready: it reports no state"
    closed: Any = Answers(refused=403)
    assert surroundings.node_of(closed, POD) == ("n1", "10.0.0.9", "", "", "", "")
    assert surroundings.node_of(closed, {}) == ("", "", "", "", "", "")
    broken: Any = Answers(refused=500)
    with pytest.raises(Refused):
        surroundings.node_of(broken, POD)


def test_the_handler_of_a_class_is_known_by_its_name() -> None:
    cluster: Any = Answers((api.RUNTIME_CLASS, "", named("gvisor", handler="runsc")))
    assert surroundings.handler_of(cluster, "gvisor") == "runsc"
    assert surroundings.handler_of(cluster, "other") == surroundings.handler_of(cluster, "") == ""


def gateway_pod(name: str, status: dict[str, Any]) -> dict[str, Any]:
    pod = named(name, status={"phase": "Running", **status})
    pod["metadata"]["labels"] = {GATEWAY: "x"}
    pod["metadata"]["ownerReferences"] = [{"name": "x-gateway-5d4f", "controller": True}]
    return pod


def test_the_gateway_that_serves() -> None:
    service = named("x-gateway", spec={"clusterIP": "10.96.1.1"})
    ready = gateway_pod("new", READY)
    old = gateway_pod("old", READY)
    old["metadata"]["deletionTimestamp"] = "2026-01-01T00:00:00Z"
    policy = named("x-gateway-policy", data={"policy.json": "{}"})
    cluster: Any = Answers(
        (api.SERVICE, "", service), (api.POD, "", old), (api.POD, "", ready), (api.CONFIG_MAP, "", policy),
        (api.DEPLOYMENT, "", named("x-gateway")),
    )  # fmt: skip
    assert surroundings.gateway_of(cluster, "x") == ("10.96.1.1", "new", "{}")
    assert surroundings.gateway_of(cluster, "y") is None
    ready["status"] = {"phase": "Running", "conditions": []}
    assert surroundings.gateway_of(cluster, "x") == ("10.96.1.1", "", "{}"), "it does not serve yet"


def test_of_two_gateways_neither_says_anything_about_what_went_through() -> None:
    service = named("x-gateway", spec={"clusterIP": "10.96.1.1"})
    first, second = gateway_pod("first", READY), gateway_pod("second", READY)
    cluster: Any = Answers((api.SERVICE, "", service), (api.POD, "", first), (api.POD, "", second))
    with pytest.raises(EnvironmentFailure, match="label of the gateway: `first`, `second`"):
        surroundings.gateway_of(cluster, "x")
    alone = gateway_pod("alone", READY)
    del alone["metadata"]["ownerReferences"]
    cluster = Answers((api.SERVICE, "", service), (api.POD, "", alone))
    with pytest.raises(
        EnvironmentFailure, match="`alone` has the label of the gateway, and is not"
    ):
        surroundings.gateway_of(cluster, "x")


def container(**probe: Any) -> dict[str, Any]:
    ports = [{"name": "web", "containerPort": 8000}]
    return {"containers": [{"name": "c", "ports": ports, "readinessProbe": probe}]}


def neighbour(name: str, spec: dict[str, Any], **status: Any) -> tuple[api.Kind, str, Any]:
    return api.POD, "", named(name, spec=spec, status={"podIP": "10.0.0.1", **READY, **status})


def test_neighbours_are_those_that_answer() -> None:
    by_number, by_name = container(httpGet={"port": 1}), container(tcpSocket={"port": "web"})
    cluster: Any = Answers(
        neighbour("x", by_number),
        neighbour("a", by_number),
        neighbour("b", by_name, podIP="10.0.0.2"),
        neighbour("starting", by_number, podIP="10.0.0.3", conditions=[]),
        neighbour("silent", {"containers": [{"name": "c"}]}, podIP="10.0.0.4"),
        neighbour("unknown", container(httpGet={"port": "none"}), podIP="10.0.0.5"),
        neighbour("v6", by_number, podIP="fd00::1"),
    )
    assert surroundings.neighbours(cluster, "x") == [("10.0.0.1", 1), ("10.0.0.2", 8000)]


def test_the_name_server_is_asked_for_or_guessed() -> None:
    server = named("kubernetes", spec={"clusterIP": "10.96.0.1", "ports": [{"port": 443}]})
    names = named("kube-dns", spec={"clusterIP": "10.96.0.99"})
    cluster: Any = Answers((api.SERVICE, "default", server), (api.SERVICE, "kube-system", names))
    assert surroundings.api_server(cluster) == [("10.96.0.1", 443)]
    assert surroundings.name_servers(cluster, []) == ["10.96.0.99"]
    closed: Any = Answers(refused=403)
    assert surroundings.api_server(closed) == []
    assert surroundings.name_servers(closed, [("10.96.0.1", 443)]) == ["10.96.0.10"]
    assert surroundings.name_servers(closed, []) == []


@pytest.mark.parametrize(
    ("server", "name_servers"),
    [
        ("10.43.0.1", ["10.43.0.10"]),
        ("fd00:10:96::1", ["fd00:10:96::a"]),
        ("2001:db8:0:1:2:3:4:1", ["2001:db8:0:1:2:3:4:a"]),
        ("api.example.com", []),
    ],
)
def test_the_usual_name_server_is_in_the_range_of_the_api_server(
    server: str, name_servers: list[str]
) -> None:
    closed: Any = Answers(refused=403)
    assert surroundings.name_servers(closed, [(server, 443)]) == name_servers


def test_the_gateways_log_may_hold_anything(monkeypatch: pytest.MonkeyPatch) -> None:
    lines = [
        '{"event": "denied"}',
        '{"event": "den',
        "[1]",
        "[" * 9000,
        "Traceback",
        '"x"',
        "\ud800",
    ]

    def show(*_: Any, write: Any, container: str, **_more: Any) -> None:
        assert container == "gateway"
        write("\n".join(lines).encode("utf-8", "surrogatepass"))

    monkeypatch.setattr(logs, "show", show)
    cluster: Any = Answers()
    assert surroundings.gateway_events(cluster, "g") == [json.loads(lines[0]), None]

    def fail(*_: Any, **_more: Any) -> None:
        raise EnvironmentFailure("no", "")

    monkeypatch.setattr(logs, "show", fail)
    assert surroundings.gateway_events(cluster, "g") is None


@pytest.mark.parametrize(
    ("spec", "expected"),
    [
        ({}, {}),
        ({"hostPID": True, "hostIPC": True}, {"pod-host-namespaces": "the Pod has `hostPID, hostIPC`"}),
        (
            {"volumes": [{"name": "t", "projected": {"sources": [{"serviceAccountToken": {"path": "token"}}]}}]},
            {"pod-service-account": "a volume of the Pod has a service account's token"},
        ),
        (
            {"containers": [{"name": "w", "securityContext": {"privileged": True}}]},
            {"pod-capabilities": "the container `w` is privileged"},
        ),
        (
            {"containers": [{"name": "w", "securityContext": {"capabilities": {"add": ["NET_RAW"]}}}]},
            {"pod-capabilities": "the container `w` has NET_RAW"},
        ),
        (
            {"containers": [{"name": "w"}], "ephemeralContainers": [{"name": "e", "securityContext": {"privileged": True}}]},
            {"pod-capabilities": "the ephemeral container `e` is privileged"},
        ),
        (
            {
                "containers": [{"name": "w", "securityContext": {"capabilities": {"add": ["NET_RAW"]}}}],
                "initContainers": [{"name": "i", "securityContext": {"privileged": True}}],
            },
            {"pod-capabilities": "the init container `i` is privileged"},
        ),
    ],
)  # fmt: skip
def test_each_fault_of_a_spec_opens_its_attempt(
    spec: dict[str, Any], expected: dict[str, str]
) -> None:
    assert surroundings.faults({"spec": spec}) == expected
