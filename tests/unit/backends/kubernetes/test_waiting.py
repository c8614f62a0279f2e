"""Why a Pod does not run, and why it ended, in words."""

from __future__ import annotations

from typing import Any

import pytest

from sandboxd.backends.kubernetes import api, waiting
from sandboxd.backends.kubernetes.channels import PodGone
from sandboxd.backends.kubernetes.kubeconfig import Context
from sandboxd.backends.kubernetes.waiting import CannotStart
from sandboxd.errors import EnvironmentFailure


class OneCluster:
    """Answers with each of `pods` in turn, the last for ever."""

    context = Context("team", "shop", {"server": "https://10.0.0.1"}, {}, "")

    def __init__(
        self, *pods: dict[str, Any] | None, events: list[dict[str, Any]] | None = None
    ) -> None:
        self.pods = list(pods)
        self.events = events or []

    def get(self, _: Any, _name: str) -> dict[str, Any] | None:
        return self.pods.pop(0) if len(self.pods) > 1 else self.pods[0]

    def list(self, kind: Any, *_: Any, **_more: Any) -> list[dict[str, Any]]:
        return self.events if kind == api.EVENT else [each for each in self.pods if each]


def pod(**status: Any) -> dict[str, Any]:
    spec = {"containers": [{"name": "workspace", "image": "team/shop:1"}], "nodeName": "n1"}
    return {"metadata": {"name": "x", "uid": "1"}, "spec": spec, "status": status}


def waits(reason: str, message: str = "") -> dict[str, Any]:
    state = {"waiting": {"reason": reason, "message": message}}
    return pod(phase="Pending", containerStatuses=[{"state": state}])


RUNS = pod(phase="Running", containerStatuses=[{"state": {"running": {}}}])


@pytest.fixture(autouse=True)
def no_waiting(monkeypatch: pytest.MonkeyPatch) -> None:
    now = [0.0]

    def sleep(_: float) -> None:
        now[0] += 2.0

    monkeypatch.setattr(waiting.time, "sleep", sleep)
    monkeypatch.setattr(waiting.time, "monotonic", lambda: now[0])


def gateway_pod(name: str, owner: str) -> dict[str, Any]:
    owners = [{"name": owner, "controller": True}]
    ready = {"phase": "Running", "conditions": [{"type": "Ready", "status": "True"}]}
    return {"metadata": {"name": name, "ownerReferences": owners}, "spec": {}, "status": ready}


def test_a_pod_that_only_has_its_label_is_not_waited_for_as_the_gateway() -> None:
    def wait(*pods: dict[str, Any]) -> dict[str, Any]:
        cluster: Any = OneCluster(*pods)
        return waiting.until_gateway(cluster, "x-gateway", {}, lambda *_: None)

    ours, another = gateway_pod("a", "x-gateway-5d4f"), gateway_pod("b", "their-gateway-1")
    evicted = {**another, "status": {"phase": "Failed"}}
    assert wait(ours, evicted) is ours
    with pytest.raises(EnvironmentFailure, match="several Pods have the label of the gateway: `a`"):
        wait(ours, another)
    with pytest.raises(EnvironmentFailure, match="`b` has the label of the gateway, and is not of"):
        wait(another)


def start(cluster: Any, lasting: list[str] | None = None) -> tuple[Any, list[str]]:
    """The Pod, and what was said while it did not run; what stays on a screen comes into `lasting`."""
    steps: list[str] = []

    def say(text: str, passes: bool) -> None:
        (steps if passes or lasting is None else lasting).append(text)

    return waiting.until_running(cluster, "x", say, 60.0), steps


def test_each_reason_is_told_once_until_it_runs() -> None:
    running, steps = start(OneCluster(None, pod(phase="Pending"), pod(phase="Pending"), RUNS))
    assert running is RUNS
    assert steps == [
        "the Pod `x` does not run yet: nothing was made of it yet",
        "the Pod `x` does not run yet: it is being made on the node `n1`",
    ]


@pytest.mark.parametrize(
    ("state", "events", "message", "hint"),
    [
        (waits("ImagePullBackOff", "no such manifest"), [], "its image `team/shop:1` cannot be pulled: no such manifest", "--image NAME"),
        (waits("CreateContainerConfigError", "runAsNonRoot and image has root"), [], "CreateContainerConfigError: runAsNonRoot", "describe pods"),
        (
            pod(phase="Pending"),
            [{"type": "Warning", "reason": "FailedScheduling", "message": "0/3 nodes: insufficient memory"}],
            "no node takes it: 0/3 nodes: insufficient memory", "describe nodes",
        ),
        (
            pod(phase="Pending"),
            [{"type": "Warning", "reason": "FailedCreatePodSandBox", "message": 'no runtime for "runsc" is configured'}],
            "its node has no runtime of that RuntimeClass", "--runtime-class",
        ),
        (pod(phase="Failed", reason="Evicted", message="low on memory"), [], "its node evicted it: low on memory", "describe pods"),
    ],
)  # fmt: skip
def test_what_never_runs_is_said(
    state: dict[str, Any], events: list[dict[str, Any]], message: str, hint: str
) -> None:
    with pytest.raises(CannotStart) as info:
        start(OneCluster(state, events=events))
    assert message in info.value.message and hint in info.value.hint


def test_a_reason_that_lasts_is_told_within_ten_seconds_also_on_a_pipe() -> None:
    message = "0/1 nodes are available: 1 node(s) were unschedulable."
    cordoned = {"type": "Warning", "reason": "FailedScheduling", "message": message}
    lasting: list[str] = []
    with pytest.raises(CannotStart) as info:
        start(OneCluster(pod(phase="Pending"), events=[cordoned]), lasting)
    assert lasting == [
        f"the Pod `x` does not run yet: no node takes it: {message} (waiting for up to 54 s)"
    ]
    assert "`kubectl uncordon NODE`" in info.value.hint


@pytest.mark.parametrize(
    ("status", "words"),
    [
        ({"phase": "Running"}, ""),
        ({"phase": "Failed", "reason": "DeadlineExceeded"}, "its time limit is over"),
        ({"phase": "Failed", "reason": "NodeShutdown", "message": "bye"}, "its node was drained or went down: bye"),
        (
            {"phase": "Failed", "containerStatuses": [{"state": {"terminated": {"reason": "OOMKilled"}}}]},
            "it needed more memory than its limit",
        ),
        (
            {"phase": "Succeeded", "containerStatuses": [{"state": {"terminated": {"exitCode": 0}}}]},
            "its container ended with exit code 0",
        ),
    ],
)  # fmt: skip
def test_an_end_has_its_reason(status: dict[str, Any], words: str) -> None:
    assert waiting.end_of(pod(**status)) == words


def test_a_sandbox_that_is_no_more_says_that_its_work_is_gone() -> None:
    evicted: Any = OneCluster(pod(phase="Failed", reason="Evicted", message="disk"))
    with pytest.raises(PodGone, match="what was in it is gone: its node evicted it"):
        waiting.require_running(evicted, "x")
    nothing: Any = OneCluster(None)
    with pytest.raises(PodGone, match="no sandbox of this project runs in the namespace `shop`"):
        waiting.require_running(nothing, "x")


def test_a_pod_that_is_deleted_while_it_starts_ends_the_wait() -> None:
    with pytest.raises(CannotStart, match="deleted meanwhile, as it is when its node is drained"):
        start(OneCluster(None, waits("ContainerCreating"), None))


def test_a_pod_that_is_being_deleted_does_not_run() -> None:
    ending = {**RUNS, "metadata": {"name": "x", "uid": "1", "deletionTimestamp": "now"}}
    with pytest.raises(PodGone, match="it was deleted, as it is when its node is drained"):
        waiting.require_running(OneCluster(ending), "x")  # type: ignore[arg-type]
