"""The cluster of the tests itself: kubectl, which nobody of ours wrote, finds in it what it looks for."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml

from tests.e2e import docker_cluster
from tests.e2e.docker_cluster import DockerCluster
from tests.patience import PATIENCE, eventually

pytestmark = pytest.mark.engine


@pytest.fixture
def cluster(engine: str, busybox_image: str, tmp_path: Path) -> Iterator[DockerCluster]:
    if shutil.which("kubectl") is None:
        pytest.skip("no kubectl: THE CLUSTER OF THE TESTS IS NOT TESTED")
    with docker_cluster.running(engine, busybox_image, tmp_path / "cluster") as running:
        running.runtime_class("gvisor", "runsc")
        yield running


class Kubectl:
    def __init__(self, cluster: DockerCluster, home: Path) -> None:
        self._environ = {**os.environ, "KUBECONFIG": str(cluster.kubeconfig()), "HOME": str(home)}

    def __call__(
        self, *words: str, input: str | None = None, fails: bool = False
    ) -> subprocess.CompletedProcess[str]:
        done = subprocess.run(
            ["kubectl", *words], env=self._environ, input=input, capture_output=True, text=True,
            timeout=5 * PATIENCE, check=False,
        )  # fmt: skip
        assert (done.returncode != 0) is fails, done
        return done

    def apply(self, *objects: dict[str, Any]) -> str:
        return self("apply", "--server-side", "-f", "-", input=yaml.safe_dump_all(objects)).stdout


@pytest.fixture
def kubectl(cluster: DockerCluster, own_home: Path) -> Kubectl:
    return Kubectl(cluster, own_home)


def pod(image: str, name: str = "box", **spec: Any) -> dict[str, Any]:
    container = {"name": "main", "image": image, "command": ["sleep", "1000"]}
    metadata = {"name": name, "labels": {"app": name}}
    spec = {"terminationGracePeriodSeconds": 0, "containers": [container], **spec}
    return {"apiVersion": "v1", "kind": "Pod", "metadata": metadata, "spec": spec}


def closed(name: str) -> dict[str, Any]:
    spec = {"podSelector": {"matchLabels": {"app": name}}, "policyTypes": ["Egress"]}
    return {
        "apiVersion": "networking.k8s.io/v1",
        "kind": "NetworkPolicy",
        "metadata": {"name": "closed"},
        "spec": spec,
    }


@pytest.mark.parametrize(
    "runtime_class", ["", pytest.param("gvisor", marks=pytest.mark.gvisor)], ids=["runc", "gvisor"]
)
def test_kubectl_makes_a_pod_works_in_it_and_ends_it(
    cluster: DockerCluster, kubectl: Kubectl, busybox_image: str, runtime_class: str
) -> None:
    spec = {"runtimeClassName": runtime_class} if runtime_class else {}
    assert "serverside-applied" in kubectl.apply(pod(busybox_image, **spec))
    kubectl("wait", "--for=condition=Ready", "pod/box", f"--timeout={4 * PATIENCE:.0f}s")
    assert kubectl("exec", "-i", "box", "--", "wc", "-c", input="x" * 200_000).stdout == "200000\n"
    done = kubectl("exec", "box", "--", "sh", "-c", "echo out; echo err >&2; exit 7", fails=True)
    assert done.returncode == 7 and done.stdout == "out\n" and done.stderr.startswith("err\n")
    kernel = kubectl("exec", "box", "--", "dmesg").stdout if runtime_class else ""
    assert ("gVisor" in kernel) is bool(runtime_class)
    kubectl("delete", "pod", "box")
    assert cluster.pod("default", "box") is None


def test_apply_has_owners_and_only_changes_what_may_be_changed(
    cluster: DockerCluster, kubectl: Kubectl, busybox_image: str
) -> None:
    config = {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "c"}}
    kubectl.apply({**config, "data": {"a": "1", "b": "2"}})
    kubectl.apply({**config, "data": {"a": "1"}})
    kept = cluster.store.get("ConfigMap", "default", "c")
    assert kept is not None and kept["data"] == {"a": "1"}
    other = ("apply", "--server-side", "--field-manager=other", "-f", "-")
    refused = kubectl(*other, input=yaml.safe_dump({**config, "data": {"a": "9"}}), fails=True)
    assert 'conflict with "kubectl": .data.a' in refused.stderr
    kubectl(*other, "--force-conflicts", input=yaml.safe_dump({**config, "data": {"a": "9"}}))
    kubectl.apply(pod(busybox_image))
    kubectl.apply(pod(busybox_image))
    again = yaml.safe_dump(pod(busybox_image, runtimeClassName="gvisor"))
    done = kubectl("apply", "--server-side", "-f", "-", input=again, fails=True)
    assert "pod updates may not change fields" in done.stderr
    wrong = yaml.safe_dump({**pod(busybox_image, "wrong"), "spek": {}})
    assert "spek" in kubectl("apply", "--server-side", "-f", "-", input=wrong, fails=True).stderr
    kubectl("apply", "-f", "-", input=yaml.safe_dump({**config, "metadata": {"name": "plain"}}))


def test_a_watch_sees_what_happens_and_hears_that_history_is_gone(
    cluster: DockerCluster, kubectl: Kubectl, busybox_image: str
) -> None:
    before = json.loads(kubectl("get", "--raw", "/api/v1/pods").stdout)["metadata"][
        "resourceVersion"
    ]
    kubectl.apply(pod("nowhere.example/none:1"))
    cluster.await_pod("default", "box", lambda s: "ImagePullBackOff" in json.dumps(s))
    events = kubectl("events", "--for", "pod/box").stdout
    assert "Failed to pull image" in events
    cluster.store.forget_history()
    path = f"/api/v1/pods?watch=1&resourceVersion={before}"
    assert '"code": 410' in kubectl("get", "--raw", path).stdout


def test_policies_hold_or_do_not(
    cluster: DockerCluster, kubectl: Kubectl, busybox_image: str
) -> None:
    kubectl.apply(pod(busybox_image), closed("box"))
    kubectl("wait", "--for=condition=Ready", "pod/box", f"--timeout={4 * PATIENCE:.0f}s")

    def looked_up(seconds: int) -> str:
        name, server = "kubernetes.default.svc.cluster.local", "10.96.0.10"
        script = f"timeout {seconds} nslookup {name} {server} 2>&1 || echo failed"
        return kubectl("exec", "box", "--", "sh", "-c", script).stdout

    assert "failed" in looked_up(3)
    cluster.enforce(False)
    eventually(lambda: "Address: 10.96.0.1\n" in looked_up(60))


def test_what_is_ordered_is_answered(
    cluster: DockerCluster, kubectl: Kubectl, busybox_image: str
) -> None:
    cluster.namespace("team", "restricted")
    cluster.admission.quota["default"] = 0
    manifest = yaml.safe_dump(pod(busybox_image))
    apply = ("apply", "--server-side", "-f", "-")
    assert "exceeded quota" in kubectl(*apply, input=manifest, fails=True).stderr
    assert (
        "violates PodSecurity" in kubectl(*apply, "-n", "team", input=manifest, fails=True).stderr
    )
    cluster.admission.quota.clear()
    cluster.webhook("Pod", lambda _: "not on a Sunday")
    assert "not on a Sunday" in kubectl(*apply, input=manifest, fails=True).stderr
    cluster.api.refused_rights.add(("list", "pods"))
    assert "cannot list resource" in kubectl("get", "pods", fails=True).stderr
    # `kubectl auth can-i` speaks protobuf, which nobody needs here.
    attributes = {"resourceAttributes": {"verb": "list", "resource": "pods"}}
    path = "/apis/authorization.k8s.io/v1/selfsubjectaccessreviews"
    review = kubectl("create", "--raw", path, "-f", "-", input=json.dumps({"spec": attributes}))
    assert json.loads(review.stdout)["status"] == {"allowed": False}
    cluster.fault(503, "list", "services", message="the leader is lost")
    assert "the leader is lost" in kubectl("get", "services", fails=True).stderr
    cluster.server.tokens.clear()
    assert "Unauthorized" in kubectl("get", "services", fails=True).stderr


def test_an_evicted_pod_stays_and_says_why(
    cluster: DockerCluster, kubectl: Kubectl, busybox_image: str
) -> None:
    kubectl.apply(pod(busybox_image))
    kubectl("wait", "--for=condition=Ready", "pod/box", f"--timeout={4 * PATIENCE:.0f}s")
    cluster.evict("default", "box")
    uid = (cluster.pod("default", "box") or {})["metadata"]["uid"]
    eventually(lambda: not cluster.node.container_of(uid))
    assert kubectl("get", "pod", "box", "-o", "jsonpath={.status.reason}").stdout == "Evicted"
    cluster.drain()
    eventually(lambda: cluster.pod("default", "box") is None)


def test_a_log_is_followed_to_its_end(
    cluster: DockerCluster, kubectl: Kubectl, busybox_image: str
) -> None:
    container = {"name": "main", "image": busybox_image, "command": ["sh", "-c", "echo one; sleep 1; echo two"]}  # fmt: skip
    kubectl.apply(pod(busybox_image, containers=[container], restartPolicy="Never"))
    cluster.await_pod("default", "box", lambda s: s.get("phase") in ("Running", "Succeeded"))
    assert kubectl("logs", "-f", "box").stdout == "one\ntwo\n"
    cluster.await_pod("default", "box", lambda s: s.get("phase") == "Succeeded")
