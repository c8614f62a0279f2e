"""What went wrong on a cluster is said by its cause: a Pod that is gone, a node that is silent, nobody who makes a Pod."""

from __future__ import annotations

import json
import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from sandboxd.backends.kubernetes import api, waiting, work
from sandboxd.backends.kubernetes import state as pod_state
from sandboxd.backends.kubernetes.backend import KubernetesBackend
from sandboxd.backends.kubernetes.channels import PodGone
from sandboxd.cli.on_cluster import looking
from sandboxd.errors import EnvironmentFailure, SandboxdError
from sandboxd.operations import copying
from tests.integration.on_cluster.conftest import Laptop
from tests.light_cluster import LightCluster, light_cluster, running
from tests.patience import PATIENCE, eventually


def deletes(cluster: LightCluster, laptop: Laptop) -> Callable[[list[str]], None]:
    """A command during which somebody deletes the Pod; its programs end with it."""
    name = laptop.target.pod

    def act(words: list[str]) -> None:
        cluster.store.remove("Pod", "default", name)
        words[:] = ["sh", "-c", "printf cut; exit 137"]

    return act


@pytest.mark.parametrize("what", ["cp in", "cp out", "review"])
def test_a_pod_that_is_deleted_meanwhile_is_the_reason(
    cluster: LightCluster, laptop: Laptop, what: str
) -> None:
    laptop.up()
    target = laptop.target
    backend, folder = KubernetesBackend(target.cluster, laptop.environ), str(laptop.project)
    acts: dict[str, Callable[[], object]] = {
        "cp in": lambda: copying.copy_in(
            backend, folder, str(laptop.project / "main.py"), "copy.py"
        ),
        "cp out": lambda: copying.copy_out(backend, folder, "main.py", str(laptop.project / "out")),
        "review": lambda: work.collected(target, stop_others=False),
    }
    cluster.before_command = deletes(cluster, laptop)
    with pytest.raises(PodGone) as told:
        acts[what]()
    assert (
        "is gone, and what was changed in it since the last `review` is lost" in told.value.message
    )
    assert "`sandboxd up --on team` starts it" in told.value.hint


def test_a_kubelet_that_is_down_is_not_the_api_server(
    cluster: LightCluster, laptop: Laptop
) -> None:
    laptop.up()
    message = "error dialing backend: dial tcp 10.0.0.5:10250: connect: connection refused"
    cluster.fault(500, "create", "pods/exec", message=message)
    with pytest.raises(SandboxdError) as told:
        copying.copy_in(
            KubernetesBackend(laptop.target.cluster, laptop.environ),
            str(laptop.project),
            str(laptop.project / "main.py"),
            "copy.py",
        )
    assert "the node of the sandbox does not answer" in told.value.message
    assert "`sandboxd status --on team` shows the node's state" in told.value.hint


def silence(cluster: LightCluster) -> None:
    """The node's kubelet stops, and after 40 s the cluster says so."""

    def change(node: dict[str, Any]) -> None:
        why = "Kubelet stopped posting node status."
        node["status"]["conditions"] = [{"type": "Ready", "status": "Unknown", "reason": "NodeStatusUnknown", "message": why}]  # fmt: skip

    def unready(pod: dict[str, Any]) -> None:
        pod["status"]["conditions"] = [{"type": "Ready", "status": "False"}]

    cluster.store.update("Node", "", "node-1", change)
    for pod in cluster.store.all("Pod"):
        cluster.store.update("Pod", "default", pod["metadata"]["name"], unready)


def state(laptop: Laptop) -> pod_state.Sandbox:
    sandbox = pod_state.inspect(laptop.target)
    assert sandbox is not None
    return sandbox


def test_the_state_of_the_node_is_in_status(cluster: LightCluster, laptop: Laptop) -> None:
    laptop.up()
    assert (state(laptop).state, state(laptop).node_state) == ("running", "ready")
    cluster.store.update("Node", "", "node-1", lambda node: node["spec"].update(unschedulable=True))
    assert (state(laptop).state, state(laptop).node_state) == ("running", "cordoned")
    silence(cluster)
    said = state(laptop)
    assert said.state == "unknown"
    assert said.why == "its node is not ready: Kubelet stopped posting node status."
    assert "node-1 (not ready: Kubelet" in "\n".join(looking._lines(said, "team"))
    cluster.api.refused_rights.add(("get", "nodes"))
    without_right = state(laptop)
    assert (without_right.state, without_right.node_state) == ("unknown", "")
    assert "its node may be gone" in without_right.why


def test_of_the_network_only_what_was_tried_last_is_said(
    cluster: LightCluster, laptop: Laptop
) -> None:
    """A node that starts again tries the network anew, by a policy engine that is there by now."""
    cluster.status = lambda pod: running(pod, "open")
    laptop.up()
    text = "\n".join(looking._lines(state(laptop), "team"))
    assert "NOT closed" in text and "not in force network: the cluster enforces no" in text
    name = laptop.target.pod
    cluster.store.update("Pod", "default", name, lambda pod: pod.update(status=running(pod)))
    text = "\n".join(looking._lines(state(laptop), "team"))
    assert "closed by a NetworkPolicy" in text and "enforces no" not in text


class Start:
    """An `up` in a thread, which waits for its Pod."""

    def __init__(self, laptop: Laptop, **options: Any) -> None:
        self.laptop = laptop
        self._thread = threading.Thread(target=self._run, kwargs=options, daemon=True)
        self._thread.start()
        self.how = ""

    def _run(self, **options: Any) -> None:
        self.how = self.laptop.up(**options).how

    def end(self) -> str:
        self._thread.join(PATIENCE)
        return self.how


def lasting(laptop: Laptop, words: str) -> None:
    """Wait until a pipe, too, has the words."""
    eventually(lambda: any(words in text for text in laptop.lasting), lambda: laptop.said)


@pytest.fixture(autouse=True)
def soon(monkeypatch: pytest.MonkeyPatch) -> None:
    assert waiting._TELL_SECONDS <= 10
    monkeypatch.setattr(waiting, "_TELL_SECONDS", 0.3)


def test_a_cordoned_node_is_named_while_it_is_waited_for(
    cluster: LightCluster, laptop: Laptop
) -> None:
    cluster.status = lambda _: None
    name = laptop.target.pod
    message = (
        "0/1 nodes are available: 1 node(s) were unschedulable. preemption: 0/1 nodes are available"
    )
    cluster.make("Event", "default", {"metadata": {"name": "e"}, "involvedObject": {"kind": "Pod", "name": name}, "type": "Warning", "reason": "FailedScheduling", "message": message})  # fmt: skip
    begun = Start(laptop)
    lasting(laptop, "no node takes it: 0/1 nodes are available: 1 node(s) were unschedulable")
    cluster.store.update("Pod", "default", name, lambda pod: pod.update(status=running(pod)))
    assert begun.end() == "started"


@pytest.fixture
def with_sandboxes(tmp_path: Path) -> Iterator[LightCluster]:
    with light_cluster(tmp_path / "second", agent_sandbox=True) as cluster:
        yield cluster


def test_a_sandbox_without_its_controller_is_named(
    with_sandboxes: LightCluster, tmp_path: Path
) -> None:
    with_sandboxes.has_controllers = False
    laptop = Laptop(with_sandboxes, tmp_path)
    begun = Start(laptop, sandbox=True)
    lasting(laptop, "no Pod was made of the Sandbox yet: is agent-sandbox's controller at work?")
    with_sandboxes.has_controllers = True
    with_sandboxes.make("ConfigMap", "default", {"metadata": {"name": "wake"}})
    assert begun.end() == "started"
    laptop.close()


def test_rights_are_named_in_one_line_and_bound_to_who_asks(
    cluster: LightCluster, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: Any
) -> None:
    """`verify` reads the RuntimeClass of the Pod, which the Roles allow."""
    config = cluster.kubeconfig(tmp_path / "kubeconfig")
    monkeypatch.setenv("KUBECONFIG", str(config))
    cluster.api.user = "system:serviceaccount:ci:bot"
    cluster.api.refused_rights |= {("get", "pods"), ("list", "pods"), ("get", "runtimeclasses")}
    looking.doctor("team", as_json=False)
    out = capsys.readouterr().out
    assert "rights       missing: get, list pods (for the sandbox)\n" in out
    assert "without: get runtimeclasses (for whose kernel a Pod has, for `verify`)\n" in out
    assert "kind: ServiceAccount" in out and "name: bot" in out and "NAME" not in out
    looking.doctor("team", as_json=True)
    assert json.loads(capsys.readouterr().out)["user"] == "system:serviceaccount:ci:bot"


def test_all_that_is_asked_of_the_cluster_is_in_the_roles(
    cluster: LightCluster, laptop: Laptop
) -> None:
    from sandboxd.backends.kubernetes import rights, surroundings

    laptop.up()
    state(laptop)
    target = laptop.target
    surroundings.handler_of(target.cluster, "gvisor")
    surroundings.node_of(target.cluster, target.cluster.get(api.POD, target.pod) or {})
    pod_state.list_all(target.cluster, laptop.environ)
    laptop.down(discard=True)
    given = {tuple(str(each).split(" ")) for each in rights.RIGHTS}
    asked = set(cluster.api.requests)
    assert asked <= given, asked - given
    assert ("get", "runtimeclasses") in asked
    with pytest.raises(EnvironmentFailure):
        waiting.require_running(target.cluster, target.pod)
