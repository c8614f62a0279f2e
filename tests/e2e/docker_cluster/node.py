"""The node: it makes containers of Pods, looks at them, and says in their status how they are."""

from __future__ import annotations

import contextlib
import secrets
import threading
from pathlib import Path

import docker

from tests.e2e.docker_cluster.container import RUNTIMES, NotMade, Surroundings, body
from tests.e2e.docker_cluster.name_server import DOMAIN
from tests.e2e.docker_cluster.network import Network
from tests.e2e.docker_cluster.pod import RunningPod
from tests.e2e.docker_cluster.resources import Catalogue
from tests.e2e.docker_cluster.store import Object, Store
from tests.e2e.docker_cluster.volumes import Volumes


class Node:
    """One machine of the cluster: the private engine."""

    def __init__(
        self, engine: str, pause_image: str, folder: Path, store: Store, network: Network
    ) -> None:
        self.seccomp = folder / "seccomp"
        """The kubelet's folder of filters."""
        self.seccomp.mkdir(parents=True)
        self.name_server = ""
        self._pause_image, self._folder = pause_image, folder
        self._engine, self._store, self._network = engine, store, network
        self._running: dict[str, RunningPod] = {}
        self._kinds = Catalogue()

    def api(self) -> docker.APIClient:
        """A client of the engine, for one thread."""
        return docker.APIClient(base_url=self._engine, timeout=600)

    def look(self) -> None:
        """Start what is new, and tell each Pod's thread that something was changed."""
        for pod in self._store.all("Pod"):
            uid = pod["metadata"]["uid"]
            if uid not in self._running and "static" not in pod["metadata"].get("annotations", {}):
                running = RunningPod(self, pod, self._store, self._network)
                self._running[uid] = running
                threading.Thread(target=running.run, daemon=True).start()

    def close(self) -> None:
        for each in self._running.values():
            each.stop()
        with contextlib.closing(self.api()) as api:
            for each in self._running.values():
                each.remove(api)

    def folder_of(self, pod: Object) -> Path:
        """Where the volumes of a Pod are."""
        return self._folder / "pods" / str(pod["metadata"]["uid"])

    def container_of(self, uid: str) -> str:
        """The container of a Pod; '' while it has none."""
        running = self._running.get(uid)
        return running.container if running is not None else ""

    def event(self, pod: Object, kind: str, reason: str, message: str) -> None:
        """Say something of a Pod, as `kubectl describe` shows it."""
        metadata = pod["metadata"]
        involved = {key: metadata[key] for key in ("name", "namespace", "uid")}
        now = self._store.now()
        value = {
            "metadata": {"name": f"{metadata['name']}.{secrets.token_hex(5)}"},
            "involvedObject": {"kind": "Pod", "apiVersion": "v1", **involved},
            "type": kind,
            "reason": reason,
            "message": message,
            "source": {"component": "kubelet", "host": "node-1"},
            "reportingComponent": "kubelet",
            "reportingInstance": "node-1",
            "firstTimestamp": now,
            "lastTimestamp": now,
            "count": 1,
        }
        self._store.create(self._kinds.of_kind("Event"), metadata["namespace"], value)

    def sandbox(self, api: docker.APIClient, pod: Object) -> tuple[str, str]:
        """The container that holds the Pod's network, and the address in it."""
        config = {
            "Image": self._pause_image,
            "Entrypoint": ["/bin/sleep", "1000000"],
            "Hostname": pod["metadata"]["name"][:63],
            "HostConfig": {"NetworkMode": "none", "Runtime": "runc"},
        }
        made: str = api.create_container_from_config(config)["Id"]
        api.start(made)
        return made, self._network.attach(api.inspect_container(made)["State"]["Pid"])

    def around(
        self,
        api: docker.APIClient,
        pod: Object,
        container: Object,
        volumes: Volumes,
        sandbox: tuple[str, str],
    ) -> Surroundings:
        """What a container gets beside the Pod's own words.

        :raises NotMade: the node lacks something
        """
        image = api.inspect_image(container["image"])
        user = image["Config"].get("User") or ""
        context = {**pod["spec"]["securityContext"], **container.get("securityContext", {})}
        filter_ = context.get("seccompProfile", {}).get("localhostProfile", "")
        links = self._links(pod) if pod["spec"]["enableServiceLinks"] else {}
        # Those of the API server a kubelet sets in any case.
        links |= {"KUBERNETES_SERVICE_HOST": "10.96.0.1", "KUBERNETES_SERVICE_PORT": "443"}
        mounts = volumes.mounts(container, self._resolv_conf(pod), sandbox[1])
        return Surroundings(
            user, sandbox[0], self._runtime(pod), mounts, self._filter(filter_), sandbox[1],
            container, links,
        )  # fmt: skip

    def create(
        self,
        api: docker.APIClient,
        pod: Object,
        container: Object,
        volumes: Volumes,
        sandbox: tuple[str, str],
    ) -> str:
        """A container of the Pod, which does not run yet.

        :raises NotMade: it cannot be made
        """
        around = self.around(api, pod, container, volumes, sandbox)
        try:
            made: str = api.create_container_from_config(body(pod, around))["Id"]
        except docker.errors.APIError as error:
            raise NotMade("CreateContainerError", str(error.explanation)) from None
        return made

    def _runtime(self, pod: Object) -> str:
        name = pod["spec"].get("runtimeClassName")
        runtime_class = self._store.get("RuntimeClass", "", name) if name else {"handler": "runc"}
        handler = (runtime_class or {}).get("handler", "")
        if handler not in RUNTIMES:
            raise NotMade("ContainerCreating", f'Failed to create pod sandbox: no runtime for "{handler}" is configured')  # fmt: skip
        return RUNTIMES[handler]

    def _filter(self, name: str) -> str:
        if not name:
            return ""
        try:
            return (self.seccomp / name).read_text()
        except OSError:
            path = f"/var/lib/kubelet/seccomp/{name}"
            raise NotMade("CreateContainerError", f'failed to generate container spec: failed to generate seccomp spec opts: cannot load seccomp profile "{path}": open {path}: no such file or directory') from None  # fmt: skip

    def _resolv_conf(self, pod: Object) -> str:
        spec, namespace = pod["spec"], pod["metadata"]["namespace"]
        servers, options = [self.name_server], ["ndots:5"]
        searched = [f"{namespace}.{DOMAIN}", DOMAIN, "cluster.local"]
        if spec["dnsPolicy"] == "None":
            config = spec.get("dnsConfig", {})
            servers, searched = config.get("nameservers", []), config.get("searches", [])
            options = [f"{o['name']}:{o['value']}" for o in config.get("options", ())]
        lines = [f"nameserver {each}" for each in servers]
        lines += [f"search {' '.join(searched)}"] if searched else []
        lines += [f"options {' '.join(options)}"] if options else []
        return "\n".join(lines) + "\n"

    def _links(self, pod: Object) -> dict[str, str]:
        variables = {}
        for service in self._store.all("Service", pod["metadata"]["namespace"]):
            name = service["metadata"]["name"].upper().replace("-", "_")
            if service["spec"].get("clusterIP", "None") != "None":
                variables[f"{name}_SERVICE_HOST"] = service["spec"]["clusterIP"]
        return variables
