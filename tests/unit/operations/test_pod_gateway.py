"""The gateway's Pod of a cluster: what is applied, when it counts as in force, and what its log is worth."""

from __future__ import annotations

import json
import os
from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from sandboxd.cluster import records
from sandboxd.cluster.kubeconfig import Context
from sandboxd.cluster.records import Record
from sandboxd.egress.broker import Binding
from sandboxd.egress.broker_wire import Credentials
from sandboxd.egress.names import pattern
from sandboxd.egress.policy import decide
from sandboxd.errors import EnvironmentFailure
from sandboxd.operations.on_cluster import _gateway, _names
from sandboxd.operations.on_cluster._gateway import PodGateway
from sandboxd.operations.on_cluster.target import Target
from sandboxd.plan.writers import kubernetes
from sandboxd.policy import approvals

CONTEXT = Context("team", "shop", {"server": "https://10.0.0.1"}, {}, "")


class PlayedCluster:
    """Keeps what is applied; its gateway's log is `log`, to which each applied policy adds what `says` makes."""

    context = CONTEXT

    def __init__(self) -> None:
        self.applied: list[dict[str, Any]] = []
        self.log: list[bytes] = []
        self.says: Callable[[int], list[dict[str, Any]]] = lambda version: [policy_set(version)]
        self.pods = [
            {"metadata": {"name": "gw-1", "uid": "u1", "creationTimestamp": "1"}, "status": {"phase": "Running"}}
        ]  # fmt: skip

    def list(self, *_: Any) -> list[dict[str, Any]]:
        return self.pods

    def get(self, kind: Any, name: str) -> dict[str, Any] | None:
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


def allow(target: Target, name: str, *, once: bool = False) -> None:
    from sandboxd.egress.approvals import Approval

    answer = Approval(pattern(name), (443,), True, 1.0, "shell", 0.0, once)
    approvals.add(target.environ, target.workspace, answer)


def push(target: Target) -> None:
    policy = _names.policy_now(target)
    assert policy is not None
    PodGateway(target).push(policy)


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
    allow(target, "a.example.org", once=True)
    policy = _names.policy_now(target)
    assert policy is not None and not decide(policy, "a.example.org", 443, 2.0).allowed


def test_a_policy_that_is_refused_or_not_taken_is_said(
    target: Target, cluster: PlayedCluster
) -> None:
    refused = {"event": "refused", "seq": 6, "time": 10.0, "op": "policy", "why": "half a policy"}
    cluster.says = lambda version: [{**refused, "version": version}]
    with pytest.raises(EnvironmentFailure, match="lets nothing through: half a policy"):
        push(target)
    cluster.says = lambda _: [policy_set(1, 7)]
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
