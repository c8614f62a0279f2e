"""A whole cluster, as a test has it: what it is made of, and what a test can order."""

from __future__ import annotations

import contextlib
import json
import os
import socket
import subprocess
import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from sandboxd.verify import listeners
from tests.e2e.docker_cluster.admission import Admission, Webhook
from tests.e2e.docker_cluster.api import Api, Fault
from tests.e2e.docker_cluster.controllers import Controllers, delete_pod
from tests.e2e.docker_cluster.name_server import DOMAIN, NameServer
from tests.e2e.docker_cluster.network import Network
from tests.e2e.docker_cluster.node import Node
from tests.e2e.docker_cluster.resources import SANDBOX, Catalogue
from tests.e2e.docker_cluster.server import Server
from tests.e2e.docker_cluster.store import Object, Store
from tests.e2e.docker_cluster.streams import V4
from tests.patience import eventually

_CERTIFICATE = """
openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes -days 2 -subj /CN=cluster
 -addext subjectAltName=IP:127.0.0.1,IP:10.96.0.1,DNS:localhost,DNS:kubernetes.default.svc
 -addext keyUsage=critical,digitalSignature,keyCertSign -keyout key.pem -out certificate.pem
"""


class DockerCluster:
    """See the package: `running` makes one."""

    def __init__(
        self, engine: str, pause_image: str, folder: Path, *, agent_sandbox: bool = False
    ) -> None:
        folder.mkdir(parents=True, exist_ok=True)
        self._folder = folder
        self.store = Store()
        self.kinds = Catalogue(*((SANDBOX,) if agent_sandbox else ()))
        self.admission = Admission(self.store)
        self.api = Api(self.store, self.admission, self.kinds)
        pid = listeners.engine_pid(engine)
        if os.stat(f"/proc/{pid}/ns/net") == os.stat("/proc/self/ns/net"):
            pytest.skip("the engine is not a private one: its firewall is somebody else's")
        self._network = Network(pid, self.store)
        self.node = Node(engine, pause_image, folder, self.store, self._network)
        self._controllers = Controllers(self.store, self.admission, self.kinds)
        self.names: dict[str, str] = {}
        """Names outside the cluster, and the address of each."""
        self._name_server = NameServer(self._network.attach, self._resolve)
        self.node.name_server = "10.96.0.10"
        self._furnish()
        subprocess.run(_CERTIFICATE.split(), cwd=folder, check=True, capture_output=True)
        self.server = Server(self.api, self.node, folder / "certificate.pem", folder / "key.pem")
        outside = socket.create_server(("127.0.0.1", 0))
        self._port = outside.getsockname()[1]
        self.server.listen(outside)
        with listeners.network_of(pid):
            inside = socket.create_server(("0.0.0.0", 6443))
        self.server.listen(inside)
        self._worker = threading.Thread(target=self._work, daemon=True)
        self._worker.start()

    def _furnish(self) -> None:
        for name in ("default", "kube-system"):
            self.namespace(name)
        ready = {"conditions": [{"type": "Ready", "status": "True"}], "nodeInfo": _node_info()}
        self.make("Node", "", {"metadata": {"name": "node-1"}, "status": ready})
        labels = {"k8s-app": "kube-dns"}
        pod = {
            "metadata": {"name": "coredns", "labels": labels, "annotations": {"static": "true"}},
            "spec": {"containers": [{"name": "coredns", "image": "coredns"}]},
            "status": {"phase": "Running", "podIP": self._name_server.address, **ready},
        }
        self.make("Pod", "kube-system", pod)
        ports = [{"name": p.lower(), "port": 53, "protocol": p, "targetPort": 53} for p in ("UDP", "TCP")]  # fmt: skip
        service = {"clusterIP": "10.96.0.10", "selector": labels, "ports": ports}
        self.make("Service", "kube-system", {"metadata": {"name": "kube-dns"}, "spec": service})
        api = {"clusterIP": "10.96.0.1", "ports": [{"port": 443, "protocol": "TCP", "targetPort": 6443}]}  # fmt: skip
        self.make("Service", "default", {"metadata": {"name": "kubernetes"}, "spec": api})

    def make(self, kind: str, namespace: str, value: Object) -> Object:
        """Keep an object that no request made and no rule looked at."""
        return self.store.create(self.kinds.of_kind(kind), namespace, value)

    def namespace(self, name: str, pod_security: str = "") -> None:
        """:param pod_security: the level that is enforced there: `restricted`; '' for none"""
        labels = {"kubernetes.io/metadata.name": name}
        if pod_security:
            labels["pod-security.kubernetes.io/enforce"] = pod_security
        value = {"metadata": {"name": name, "labels": labels}, "status": {"phase": "Active"}}
        self.make("Namespace", "", value)

    def runtime_class(self, name: str, handler: str) -> None:
        """:param handler: `runsc` or `runc`; any other is one that the node does not have"""
        self.make("RuntimeClass", "", {"metadata": {"name": name}, "handler": handler})

    def kubeconfig(self, namespace: str = "default", token: str = "the-token", **user: Any) -> Path:
        """A file that leads here by its context `test`.

        :param user: entries in place of the token, such as `exec`
        """
        certificate = str(self._folder / "certificate.pem")
        server = f"https://127.0.0.1:{self._port}"
        config = {
            "apiVersion": "v1",
            "kind": "Config",
            "current-context": "test",
            "clusters": [{"name": "docker", "cluster": {"server": server, "certificate-authority": certificate}}],
            "contexts": [{"name": "test", "context": {"cluster": "docker", "user": "dev", "namespace": namespace}}],
            "users": [{"name": "dev", "user": user or {"token": token}}],
        }  # fmt: skip
        file = self._folder / f"kubeconfig-{namespace}"
        file.write_text(json.dumps(config))
        return file

    def enforce(self, on: bool, *, drops: bool = True) -> None:
        """Let NetworkPolicies hold, or not; `drops`: without an answer to who is kept out."""
        self._network.enforced, self._network.drops = on, drops
        self._network.sync()

    def fault(self, code: int, verb: str = "*", resource: str = "*", **more: Any) -> Fault:
        """Answer with an error from now on: see `Fault`; `heal` ends all."""
        fault = Fault(code, verb, resource, **more)
        self.api.faults.append(fault)
        return fault

    def heal(self) -> None:
        self.api.faults.clear()

    def webhook(self, kind: str, webhook: Webhook) -> None:
        """Let admission change or refuse objects of a kind."""
        self.admission.webhooks.append((kind, webhook))

    def old_server(self) -> None:
        """Be a server before 1.30: no client can end the input of a command."""
        self.server.protocols = [V4]

    def evict(self, namespace: str, name: str, why: str = "The node was low on resource: memory.") -> None:  # fmt: skip
        """End a Pod as a kubelet in need does: the object stays, its work is gone."""

        def change(pod: Object) -> None:
            state = {"terminated": {"exitCode": 137, "reason": "Error"}}
            for each in pod["status"].get("containerStatuses", ()):
                each |= {"state": state, "ready": False}
            conditions = [{"type": "Ready", "status": "False"}, {"type": "DisruptionTarget", "status": "True"}]  # fmt: skip
            pod["status"] |= {"phase": "Failed", "reason": "Evicted", "message": why, "conditions": conditions}  # fmt: skip

        self.store.update("Pod", namespace, name, change)

    def drain(self) -> None:
        """Take every Pod from the node, as `kubectl drain` does."""
        for pod in self.store.all("Pod"):
            if "static" not in pod["metadata"].get("annotations", {}):
                delete_pod(self.store, pod)

    def pod(self, namespace: str, name: str) -> Object | None:
        return self.store.get("Pod", namespace, name)

    def await_pod(self, namespace: str, name: str, test: Callable[[Object], bool]) -> Object:
        """The Pod once `test` of its status is true."""

        def look() -> Object | None:
            pod = self.pod(namespace, name)
            return pod if pod is not None and test(pod.get("status", {})) else None

        found = eventually(look, lambda: self.pod(namespace, name))
        assert found is not None
        return found

    def close(self) -> None:
        self.server.close()
        self.store.close()
        self._worker.join()
        self.node.close()
        self._name_server.close()

    def _work(self) -> None:
        """What the controllers, the node and the network do after each change."""
        while not self.store.closed:
            with self.store.changed:
                version = self.store.listed("Node", "", lambda _: True)[1]
            self._controllers.look()
            self.node.look()
            self._network.sync()
            with self.store.changed:
                while not self.store.closed and version == self.store.listed("Node", "", lambda _: True)[1]:  # fmt: skip
                    self.store.changed.wait()

    def _resolve(self, name: str) -> list[str] | None:
        if name in self.names:
            return [self.names[name]]
        service, _, rest = name.partition(".")
        namespace = rest.removesuffix(f".{DOMAIN}")
        found = self.store.get("Service", namespace, service) if rest.endswith(DOMAIN) else None
        if found is None:
            return None
        address = found["spec"]["clusterIP"]
        return self._network.endpoints(found) if address == "None" else [address]


def _node_info() -> Object:
    """What a kubelet says of its machine."""
    return {
        "bootID": Path("/proc/sys/kernel/random/boot_id").read_text().strip(),
        "containerRuntimeVersion": "containerd://2.1.4",
        "kernelVersion": os.uname().release,
        "kubeletVersion": "v1.32.3",
    }


@contextlib.contextmanager
def running(engine: str, pause_image: str, folder: Path, **options: Any) -> Iterator[DockerCluster]:
    """A cluster on a private engine, while the block runs. One at a time on an engine.

    :param pause_image: one with `/bin/sleep`
    :param folder: an empty one, for volumes and the kubeconfig
    """
    cluster = DockerCluster(engine, pause_image, folder, **options)
    try:
        yield cluster
    finally:
        cluster.close()
