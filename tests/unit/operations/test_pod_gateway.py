"""The gateway's Pod of a cluster: what is applied, when it counts as in force, and what its log is worth."""

from __future__ import annotations

import copy
import json
import os
from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from sandboxd.backends.kubernetes import api, records
from sandboxd.backends.kubernetes.kubeconfig import Context
from sandboxd.backends.kubernetes.records import Record
from sandboxd.backends.kubernetes.target import Target
from sandboxd.egress.broker import Binding
from sandboxd.egress.broker_wire import Credentials
from sandboxd.egress.names import pattern
from sandboxd.egress.policy import decide
from sandboxd.errors import EnvironmentFailure
from sandboxd.operations.on_cluster import _gateway, _names
from sandboxd.operations.on_cluster._gateway import PodGateway
from sandboxd.plan.writers import kubernetes
from sandboxd.policy import approvals

CONTEXT = Context("team", "shop", {"server": "https://10.0.0.1"}, {}, "")


SPEC: dict[str, Any] = {"containers": [{"name": "gateway", "image": "python:3-slim", "command": ["python3"]}]}  # fmt: skip


def gateway_pod(name: str) -> dict[str, Any]:
    metadata = {"name": name, "uid": f"uid of {name}", "ownerReferences": "its ReplicaSet"}
    return {"metadata": metadata, "spec": copy.deepcopy(SPEC), "status": {"phase": "Running"}}


class PlayedCluster:
    """Keeps what is applied; its gateway's log is `log`, to which each applied policy adds what `says` makes."""

    context = CONTEXT

    def __init__(self) -> None:
        self.applied: list[dict[str, Any]] = []
        self.log: list[bytes] = []
        self.says: Callable[[int], list[dict[str, Any]]] = lambda version: [policy_set(version)]
        self.pods = [gateway_pod("gw-1")]

    def list(self, _kind: Any, labels: dict[str, str]) -> list[dict[str, Any]]:
        (sandbox,) = labels.values()
        owner = {"name": f"{sandbox}-gateway-5d4f", "controller": True}
        for pod in self.pods:
            if pod["metadata"].get("ownerReferences") == "its ReplicaSet":
                pod["metadata"]["ownerReferences"] = [owner]
        return self.pods

    def get(self, kind: Any, name: str) -> dict[str, Any] | None:
        if kind == api.DEPLOYMENT:
            return {"spec": {"template": {"metadata": {}, "spec": copy.deepcopy(SPEC)}}}
        found = [
            o for o in self.applied if o["metadata"]["name"] == name and o["kind"] == kind.kind
        ]
        return found[-1] if found else None

    def apply(self, document: dict[str, Any]) -> dict[str, Any]:
        self.applied.append(document)
        if document["kind"] == "ConfigMap":
            held = kubernetes.policy_of(document)
            assert held is not None
            self.log += [json.dumps(event).encode() for event in self.says(held.version)]
        return document


def policy_set(version: int, seq: int = 5) -> dict[str, Any]:
    return {"event": "policy", "seq": seq, "time": 10.0, "version": version, "ports": []}


def denied(name: str, seq: int) -> dict[str, Any]:
    return {
        "event": "denied", "seq": seq, "time": 9.0, "name": name, "port": 443, "door": "http",
        "reason": "no-rule", "rule": "", "count": 1,
    }  # fmt: skip


@pytest.fixture
def cluster(monkeypatch: pytest.MonkeyPatch) -> PlayedCluster:
    played = PlayedCluster()

    def show(_: Any, _pod: str, *, write: Callable[[bytes], None], **_more: Any) -> None:
        for line in played.log:
            write(line + b"\n")

    now = [0.0]

    def sleep(seconds: float) -> None:
        now[0] += 20 * seconds

    monkeypatch.setattr(_gateway.logs, "show", show)
    monkeypatch.setattr(_gateway, "time", SimpleNamespace(sleep=sleep, monotonic=lambda: now[0]))
    return played


@pytest.fixture
def target(tmp_path: Path, cluster: PlayedCluster) -> Target:
    project = tmp_path / "app"
    project.mkdir()
    (project / "sandboxd.toml").write_text('profile = "dev"\n[network]\nmode = "allow"\n')
    environ = {
        "HOME": str(tmp_path),
        "XDG_CONFIG_HOME": str(tmp_path / "config"),
        "XDG_STATE_HOME": str(tmp_path / "state"),
    }
    workspace = os.path.realpath(project)
    return Target(cluster, environ, workspace, workspace, "")  # type: ignore[arg-type]


def allow(target: Target, name: str, *, once: str = "") -> None:
    from sandboxd.egress.approvals import Approval

    answer = Approval(pattern(name), (443,), True, 1.0, "shell", 0.0, once)
    approvals.add(target.environ, target.workspace, answer)


def push(target: Target) -> None:
    PodGateway(target).follow()


def test_what_is_applied_is_noted_for_drift(target: Target, cluster: PlayedCluster) -> None:
    allow(target, "a.example.org")
    config_map = {"kind": "ConfigMap", "metadata": {"name": f"{target.pod}-gateway-policy"}}
    objects = [config_map, {"kind": "Pod", "metadata": {"name": target.pod}}]
    records.note(target.environ, CONTEXT, target.pod, Record("u", 1, "/w", {}, [], objects))
    push(target)
    record = records.recall(target.environ, CONTEXT, target.pod)
    assert record is not None
    held = kubernetes.policy_of(record.objects[0])
    assert held is not None and decide(held, "a.example.org", 443, 2.0).allowed
    assert record.objects[1] == objects[1]
    marked = cluster.applied[-1]
    assert marked["kind"] == "Pod" and marked["metadata"]["name"] == "gw-1"


def test_an_approval_for_one_connection_stays_here(target: Target) -> None:
    allow(target, "a.example.org", once="1")
    now = _names.now(target, "", None, keeps_secrets=False)
    assert now is not None and now[0].gateway is not None
    assert not decide(now[0].gateway.policy, "a.example.org", 443, 2.0).allowed


def test_a_policy_that_is_refused_or_not_taken_is_said(
    target: Target, cluster: PlayedCluster
) -> None:
    refused = {"event": "refused", "seq": 6, "time": 10.0, "op": "policy", "why": "half a policy"}
    cluster.says = lambda version: [{**refused, "version": version}]
    with pytest.raises(EnvironmentFailure, match="lets nothing through: half a policy"):
        push(target)
    cluster.says = lambda _: [policy_set(1, 7)]
    allow(target, "a.example.org")
    with pytest.raises(EnvironmentFailure, match="has not taken the names of now"):
        push(target)


def test_a_gateway_that_does_not_run_reads_it_when_it_starts(
    target: Target, cluster: PlayedCluster
) -> None:
    cluster.pods.clear()
    push(target)
    assert [each["kind"] for each in cluster.applied] == ["NetworkPolicy", "ConfigMap"]


def test_a_log_is_read_once_and_what_is_no_event_is_passed_over(
    target: Target, cluster: PlayedCluster
) -> None:
    ready = {"event": "ready", "seq": 1, "time": 1.0}
    half = {"event": "denied", "seq": 3, "time": 2.0}
    cluster.log = [json.dumps(each).encode() for each in (ready, denied("a.example", 2), half)]
    cluster.log += [b"Traceback (most recent call last):", b"[" * 100_000, b"\xff\xfe"]
    gateway = PodGateway(target)
    gateway.ledger()
    (line,) = gateway.ledger().lines()
    assert (line.name, line.times) == ("a.example", 1)
    again = {"event": "ready", "seq": 1, "time": 5.0}
    cluster.log = [json.dumps(each).encode() for each in (again, denied("a.example", 2))]
    assert gateway.ledger().lines()[0].times == 2, "another process numbers its events anew"


def test_a_config_map_that_holds_no_policy_is_none() -> None:
    for data in ({}, {"policy.json": "{"}, {"policy.json": '{"policy": {"rules": []}}'}):
        assert kubernetes.policy_of({"data": data}) is None
    assert kubernetes.policy_of({}) is None


def test_a_secret_is_given_by_a_command_and_counts_once_the_gateway_says_so(
    target: Target, cluster: PlayedCluster, monkeypatch: pytest.MonkeyPatch
) -> None:
    given: list[dict[str, Any]] = []

    def run(
        _cluster: Any, pod: str, command: list[str], data: bytes, *_: Any, container: str
    ) -> int:
        assert (pod, container) == ("gw-1", "gateway")
        assert "the secret" not in " ".join(command), "a command is in the cluster's record"
        given.append(json.loads(data))
        if len(given) == 1:
            said = {"event": "credentials", "seq": 9, "time": 1.0, "services": []}
            cluster.log.append(json.dumps({**said, "mark": given[0]["mark"]}).encode())
        return 0

    monkeypatch.setattr(_gateway.running, "run", run)
    binding = Binding("anthropic", 3200, "api.example", 443, "x-api-key", "the secret", (), (), ())
    PodGateway(target).give(Credentials((binding,), "roots"))
    assert given[0]["op"] == "credentials" and given[0]["bindings"][0]["value"] == "the secret"
    assert cluster.applied == [], "it is in no object"
    with pytest.raises(EnvironmentFailure, match="did not take the secret"):
        PodGateway(target).give(Credentials((binding,), "roots"))
    cluster.pods.clear()
    with pytest.raises(EnvironmentFailure, match="does not run"):
        PodGateway(target).give(Credentials((binding,), "roots"))


SECRETS = Credentials(
    (Binding("anthropic", 3200, "api.example", 443, "x-api-key", "the secret", (), (), ()),),
    "roots",
)


def nothing_is_given(monkeypatch: pytest.MonkeyPatch) -> None:
    def run(*_: Any, **_more: Any) -> int:
        raise AssertionError("a command with the secret was run")

    monkeypatch.setattr(_gateway.running, "run", run)


def test_of_two_pods_with_the_label_neither_is_given_a_secret_or_believed(
    target: Target, cluster: PlayedCluster, monkeypatch: pytest.MonkeyPatch
) -> None:
    nothing_is_given(monkeypatch)
    cluster.pods.append(gateway_pod("another"))
    for ask in (
        lambda: PodGateway(target).give(SECRETS),
        lambda: push(target),
        lambda: PodGateway(target).ledger(),
    ):
        with pytest.raises(EnvironmentFailure) as told:
            ask()
        assert told.value.message == "several Pods have the label of the gateway: `another`, `gw-1`"
        assert "no secret is given, and no log is believed" in told.value.hint
    cluster.pods[1]["metadata"]["deletionTimestamp"] = "2026-01-01T00:00:00Z"
    PodGateway(target).ledger()
    del cluster.pods[1]["metadata"]["deletionTimestamp"]
    cluster.pods[1]["status"]["phase"] = "Failed"
    PodGateway(target).ledger()


@pytest.mark.parametrize("owners", [[], [{"name": "other-gateway-1", "controller": True}]])
def test_a_pod_that_only_has_the_label_is_no_gateway(
    owners: list[Any],
    target: Target,
    cluster: PlayedCluster,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    nothing_is_given(monkeypatch)
    cluster.pods[0]["metadata"]["ownerReferences"] = owners
    with pytest.raises(EnvironmentFailure, match="`gw-1` has the label of the gateway, and is not"):
        PodGateway(target).give(SECRETS)
    with pytest.raises(EnvironmentFailure, match="is not of its Deployment"):
        PodGateway(target).ledger()


@pytest.mark.parametrize(
    ("changed", "words"),
    [
        ({"containers": [{**SPEC["containers"][0], "image": "mine"}]}, "image` is `mine`, and was `python:3-slim`"),
        ({"containers": [*SPEC["containers"], {"name": "reads"}]}, "`spec.containers` has one more: `reads`"),
        ({"containers": [{**SPEC["containers"][0], "lifecycle": {"postStart": {}}}]}, "lifecycle` was added"),
        ({**SPEC, "ephemeralContainers": [{"name": "looks"}]}, "`spec.ephemeralContainers` was added"),
        ({**SPEC, "shareProcessNamespace": True}, "`spec.shareProcessNamespace` was added"),
    ],
)  # fmt: skip
def test_a_pod_that_runs_something_else_is_given_no_secret_whoever_owns_it(
    changed: dict[str, Any],
    words: str,
    target: Target,
    cluster: PlayedCluster,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    nothing_is_given(monkeypatch)
    cluster.pods[0]["spec"] = changed
    with pytest.raises(EnvironmentFailure) as told:
        PodGateway(target).give(SECRETS)
    assert "`gw-1` is not what its Deployment says, and is given no secret" in told.value.message
    assert words in told.value.message and "--gateway-image" in told.value.hint


def test_what_every_cluster_adds_to_a_pod_keeps_no_secret_back(
    target: Target, cluster: PlayedCluster, monkeypatch: pytest.MonkeyPatch
) -> None:
    def run(_cluster: Any, _pod: str, _command: list[str], data: bytes, *_: Any, **_more: Any) -> int:  # fmt: skip
        said = {"event": "credentials", "seq": 9, "time": 1.0, "services": []}
        cluster.log.append(json.dumps({**said, "mark": json.loads(data)["mark"]}).encode())
        return 0

    monkeypatch.setattr(_gateway.running, "run", run)
    added = {"imagePullSecrets": [{"name": "ours"}], "nodeName": "n1", "tolerations": [{}]}
    cluster.pods[0]["spec"].update(added)
    PodGateway(target).give(SECRETS)


def test_a_pod_of_before_is_waited_out_before_a_secret_is_given(
    target: Target, cluster: PlayedCluster, monkeypatch: pytest.MonkeyPatch
) -> None:
    old, new = gateway_pod("old"), gateway_pod("new")
    old["spec"]["containers"][0]["image"] = "python:3.11"
    given: list[str] = []

    def run(_cluster: Any, pod: str, _command: list[str], data: bytes, *_: Any, **_more: Any) -> int:  # fmt: skip
        given.append(pod)
        said = {"event": "credentials", "seq": 9, "time": 1.0, "services": []}
        cluster.log.append(json.dumps({**said, "mark": json.loads(data)["mark"]}).encode())
        return 0

    def replace(_: float) -> None:
        cluster.pods = [new]

    monkeypatch.setattr(_gateway.running, "run", run)
    monkeypatch.setattr(_gateway.time, "sleep", replace)
    cluster.pods = [old]
    PodGateway(target).give(SECRETS)
    assert given == ["new"]


def test_a_line_with_a_time_that_is_none_is_passed_over(
    target: Target, cluster: PlayedCluster
) -> None:
    text = json.dumps(denied("a.example", 2))
    for time in ("1e999", "-1e999", "1e300", "-1", "NaN", '"soon"', '"5"', "[]", "null"):
        cluster.log.append(text.replace('"time": 9.0', f'"time": {time}').encode())
    gateway = PodGateway(target)
    assert gateway.ledger().lines() == ()
    cluster.log.append(text.encode())
    gateway.ledger()
    assert [line.name for line in gateway.ledger().lines()] == ["a.example"]
    assert gateway._since == 9
