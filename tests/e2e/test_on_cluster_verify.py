"""`verify --on`: what holds in a Pod, and what goes through where a cluster is broken."""

from __future__ import annotations

import contextlib
import json
import socket
import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from sandboxd.verify import listeners
from tests.e2e import docker_cluster
from tests.e2e.docker_cluster import DockerCluster, container
from tests.e2e.rich_image import Rich
from tests.e2e.test_on_cluster import Laptop, laptop

pytestmark = [pytest.mark.engine, pytest.mark.gvisor]

__all__ = ["laptop"]


@pytest.fixture
def cluster(
    engine: str, trial_image: str, busybox_image: str, tmp_path: Path
) -> Iterator[DockerCluster]:
    with docker_cluster.running(engine, busybox_image, tmp_path / "cluster") as running:
        yield running


Listen = Callable[[str, int], None]


@pytest.fixture
def listen(engine: str) -> Iterator[Listen]:
    """Opens a port of the node, at an address that it gets where it has not."""
    pid = listeners.engine_pid(engine)
    with contextlib.ExitStack() as stack:

        def open_port(address: str, port: int) -> None:
            add = ["nsenter", "-t", str(pid), "-n", "ip", "address", "add", f"{address}/32", "dev", "lo"]  # fmt: skip
            subprocess.run(add, check=True)
            stack.callback(subprocess.run, [*add[:6], "del", *add[7:]], check=True)
            with listeners.network_of(pid):
                stack.enter_context(socket.create_server((address, port)))

        yield open_port


def attacked(laptop: Laptop, code: int) -> tuple[dict[str, Any], dict[str, str]]:
    """The document of `verify`, and the evidence of each attempt behind its outcome."""
    document = json.loads(laptop("verify", "--json", code=code).stdout)
    return document, {a["id"]: f"{a['outcome']}: {a['evidence']}" for a in document["attempts"]}


def of(results: dict[str, str], outcome: str) -> set[str]:
    return {name for name, text in results.items() if text.startswith(f"{outcome}: ")}


NAIVE = """
import http.server, socket, socketserver, threading

class Forward(socketserver.BaseRequestHandler):
    def handle(self):
        head = self.request.recv(4096).split()
        if len(head) > 1 and head[0] == b"CONNECT":
            host, _, port = head[1].decode().rpartition(":")
            socket.create_connection((host, int(port)), 2)
            self.request.sendall(b"HTTP/1.1 200 Connection established\\r\\n\\r\\n")

class Ready(http.server.BaseHTTPRequestHandler):
    def do_GET(self):
        self.send_response(200)
        self.end_headers()

socketserver.ThreadingTCPServer.allow_reuse_address = True
proxy = socketserver.ThreadingTCPServer(("", 3128), Forward)
threading.Thread(target=proxy.serve_forever, daemon=True).start()
http.server.ThreadingHTTPServer(("", 8080), Ready).serve_forever()
"""
"""A gateway that somebody put in the place of ours: it leads to whatever it is asked for."""


def test_a_sandbox_behind_its_gateway_holds(
    cluster: DockerCluster, laptop: Laptop, rich: Rich, tmp_path: Path
) -> None:
    cluster.runtime_class("gvisor", "runsc")
    laptop.image = rich.image
    laptop.config("dev")
    name = laptop("up", "--gateway-image", rich.image).stdout.strip()
    document, results = attacked(laptop, 0)
    assert document["held"] and document["kernel"] == "own"
    pod = cluster.pod("default", name)
    assert pod is not None
    place = document["cluster"]
    assert (place["context"], place["namespace"], place["pod"]) == ("test", "default", name)
    assert place["uid"] == pod["metadata"]["uid"]
    assert (place["runtime_class"], place["handler"]) == ("gvisor", "runsc")
    assert place["node_runtime"] == "containerd://2.1.4" and place["interpreter"] == "our Python"
    held = of(results, "held")
    assert {n for n in results if n.startswith("pod-")} <= held
    assert {"cloud-metadata", "dns-egress", "mount-tmpfs", "bpf", "proxy-denied-name"} <= held
    assert "gVisor's, by its own word" in results["pod-kernel"]
    assert results["host-file"].startswith("not-judged: its proof is a secret")
    assert not of(results, "inconclusive") and not of(results, "escaped")

    said = laptop("verify", "--report", str(tmp_path / "report.md"))
    assert "held against every attempt that applies and can be judged there" in said.stderr
    assert "not judged: " in said.stdout and "containerd://2.1.4" in said.stdout
    assert "the word of a process in it" in said.stderr
    assert (
        f"Cluster: context test, server {place['server']}" in (tmp_path / "report.md").read_text()
    )

    def close(policy: dict[str, Any]) -> None:
        policy["spec"]["egress"] = []

    cluster.store.update("NetworkPolicy", "default", name, close)
    cluster.enforce(True)
    _, results = attacked(laptop, 4)
    assert results["pod-api-server"].startswith("inconclusive: its gateway was not reached either")


def test_a_pod_that_admission_opens_does_not_hold(
    cluster: DockerCluster, laptop: Laptop, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(container.RUNTIMES, "runsc-by-name", "runc")
    cluster.runtime_class("gvisor", "runsc-by-name")

    def open_up(pod: dict[str, Any]) -> None:
        spec = pod["spec"]
        spec |= {"automountServiceAccountToken": True, "hostPID": True, "hostIPC": True}
        spec["containers"][0]["securityContext"] = {"privileged": True}

    cluster.webhook("Pod", open_up)
    laptop("up")
    document, results = attacked(laptop, 6)
    escaped = of(results, "escaped")
    for name in (
        "pod-service-account",
        "pod-capabilities",
        "pod-new-privileges",
        "pod-root-file-system",
        "pod-host-namespaces",
        "pod-kernel",
    ):
        assert name in escaped, results[name]
        assert "API server's word" not in results[name], "it is seen inside"
    assert document["kernel"] == "host" and not document["held"]
    assert "shared-memory" in escaped, results["shared-memory"]
    assert results["pod-api-server"].startswith("not-judged: nothing could be reached")
    said = " ".join(laptop("verify", code=6).stderr.split())
    assert "THE SANDBOX DID NOT HOLD" in said
    assert "sandboxd drift --on test" in said and "mounts a token into each Pod" in said


def test_a_network_that_is_open_does_not_hold(
    cluster: DockerCluster, laptop: Laptop, rich: Rich, listen: Listen
) -> None:
    laptop.image = rich.image
    laptop.config("dev")

    def replace(deployment: dict[str, Any]) -> None:
        spec = deployment["spec"]["template"]["spec"]["containers"][0]
        spec["command"] = ["python3", "-c", NAIVE]

    cluster.webhook("Deployment", replace)
    cluster.enforce(False)
    laptop("up", "--gateway-image", rich.image)
    listen("10.244.0.1", 10250)
    listen("169.254.169.254", 80)
    document, results = attacked(laptop, 6)
    for name in (
        "cloud-metadata",
        "pod-api-server",
        "pod-kubelet",
        "pod-name-server",
        "pod-neighbour",
        "pod-proxy-address",
        "pod-proxy-name",
    ):
        assert results[name].startswith("escaped: "), (name, results[name])
    assert document["kernel"] == "host"
    others = {n for n in of(results, "escaped") if not n.startswith("pod-")}
    assert others <= {"cloud-metadata", "dns-egress", "icmp"}, "a shared kernel alone opens nothing"
    assert results["proxy-denied-name"] == "inconclusive: the gateway's log has no line of it"
    assert results["pod-service-account"].startswith("held: ")


def test_what_nobody_may_ask_is_not_known_and_an_own_kernel_is_its_own_word(
    cluster: DockerCluster, laptop: Laptop
) -> None:
    cluster.runtime_class("gvisor", "runsc")
    laptop("up")
    cluster.api.refused_rights.add(("get", "nodes"))
    said = laptop("verify", "--all").stdout
    assert "runtime not known, kernel not known" in said
    assert "in the sandbox's own kernel: gVisor's, by its own word" in said


def test_a_pod_that_does_not_run_is_said_to(cluster: DockerCluster, laptop: Laptop) -> None:
    assert "no sandbox of this project runs in the namespace" in laptop.refusal("verify")
    name = laptop("up").stdout.strip()
    said = laptop.refusal("verify", "--fresh", code=2)
    assert "`--fresh` does not go with `--on`" in said and "the Pod itself is attacked" in said
    cluster.evict("default", name)
    assert "what was in it is gone: its node evicted it" in laptop.refusal("verify")
