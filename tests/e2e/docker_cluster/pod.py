"""The life of one Pod on the node, in a thread of its own: from the image to the end."""

from __future__ import annotations

import contextlib
import http.client
import socket
import threading
import time
from typing import TYPE_CHECKING, Any

import docker

from sandboxd.verify import listeners
from tests.e2e.docker_cluster.container import NotMade
from tests.e2e.docker_cluster.network import Network
from tests.e2e.docker_cluster.store import Object, Store
from tests.e2e.docker_cluster.volumes import Volumes

if TYPE_CHECKING:
    from tests.e2e.docker_cluster.node import Node

_PAUSE = 0.1
"""Seconds between two looks at a container."""
_FAILURES = 3
"""After so many probes without an answer a container is no longer ready, as a kubelet counts by default."""


class _Over(Exception):
    """The Pod was deleted, evicted, or the cluster is closed."""


class RunningPod:
    """Writes the status of the Pod until it is over."""

    def __init__(self, node: Node, pod: Object, store: Store, network: Network) -> None:
        self._node, self._pod, self._store, self._network = node, pod, store, network
        self._first = pod["spec"].get("initContainers", [])
        self._key = ("Pod", pod["metadata"]["namespace"], pod["metadata"]["name"])
        self._volumes = Volumes(node.folder_of(pod), pod, store)
        self._stopped = threading.Event()
        self._sandbox = ("", "")
        self._began = time.monotonic()
        self._restarts = 0
        self._ready = False
        self._failures = 0
        self._said = ("", "")
        self.container = ""

    def stop(self) -> None:
        self._stopped.set()

    def run(self) -> None:
        with contextlib.closing(self._node.api()) as api:
            try:
                self._await_images(api)
                self._begin(api)
                if not all(self._passes(api, each) for each in self._first):
                    self._await_deletion()
                self._start(api)
                while self._restart_after(self._live(api)):
                    self._restarts += 1
                    api.start(self.container)
                self._await_deletion()
            except _Over:
                pass
            if not self._stopped.is_set():
                self._end(api)

    def remove(self, api: docker.APIClient) -> None:
        """Take away the containers and the volumes."""
        for each in (self.container, self._sandbox[0]):
            if each:
                with contextlib.suppress(docker.errors.APIError):
                    api.remove_container(each, force=True, v=True)
        self._volumes.remove()

    def _await_images(self, api: docker.APIClient) -> None:
        for each in (*self._first, *self._pod["spec"]["containers"]):
            self._await_image(api, each["image"])

    def _await_image(self, api: docker.APIClient, image: str) -> None:
        while True:
            try:
                api.inspect_image(image)
                return
            except docker.errors.ImageNotFound:
                why = f'failed to pull and unpack image "{image}": not found'
                if not self._said[0]:
                    self._node.event(self._pod, "Warning", "Failed", f'Failed to pull image "{image}": {why}')  # fmt: skip
                    self._waits("ErrImagePull", why)
                    self._node.event(self._pod, "Normal", "BackOff", f'Back-off pulling image "{image}"')  # fmt: skip
                self._waits("ImagePullBackOff", f'Back-off pulling image "{image}": {why}')
            self._pause()

    def _begin(self, api: docker.APIClient) -> None:
        self._waits("PodInitializing" if self._first else "ContainerCreating", "")
        self._sandbox = self._node.sandbox(api, self._pod)
        self._change(podIP=self._sandbox[1], podIPs=[{"ip": self._sandbox[1]}])
        # Before anything of the Pod runs its policies hold.
        self._network.sync()

    def _passes(self, api: docker.APIClient, first: Object) -> bool:
        """Run a container that has to end before the others start; whether it lets them."""
        made = self._node.create(api, self._pod, first, self._volumes, self._sandbox)
        try:
            api.start(made)
            while (state := api.inspect_container(made)["State"])["Running"]:
                self._pause()
        finally:
            api.remove_container(made, force=True, v=True)
        code = int(state["ExitCode"])
        ended = {
            "exitCode": code,
            "reason": "Error" if code else "Completed",
            "message": self._volumes.message(first).read_text(),
            "startedAt": self._store.now(),
            "finishedAt": self._store.now(),
        }
        status = {"name": first["name"], "image": first["image"], "imageID": "", "ready": not code,
                  "restartCount": 0, "state": {"terminated": ended}, "lastState": {}}  # fmt: skip
        self._change(initContainerStatuses=[status])
        if code:
            waits = {"waiting": {"reason": "PodInitializing"}}
            self._change(phase="Failed", **self._containers(waits, ready=False))
        return not code

    def _start(self, api: docker.APIClient) -> None:
        (container,) = self._pod["spec"]["containers"]
        while True:
            try:
                self.container = self._node.create(
                    api, self._pod, container, self._volumes, self._sandbox
                )
                api.start(self.container)
                break
            except NotMade as error:
                if self._said != (error.reason, str(error)):
                    self._node.event(self._pod, "Warning", "Failed", f"Error: {error}")
                self._waits(error.reason, str(error))
            except docker.errors.APIError as error:
                self._waits("RunContainerError", str(error.explanation))
                api.remove_container(self.container, force=True)
            self._pause()
        self._node.event(self._pod, "Normal", "Started", "Started container")

    def _live(self, api: docker.APIClient) -> int:
        """Look after the container until it ends; returns its exit code."""
        probe = self._pod["spec"]["containers"][0].get("readinessProbe")
        self._ready = probe is None
        self._runs()
        while True:
            state = api.inspect_container(self.container)["State"]
            if not state["Running"]:
                return int(state["ExitCode"])
            if probe is not None and self._is_ready_by(probe) is not self._ready:
                self._ready = not self._ready
                self._runs()
            self._volumes.refresh()
            limit = self._pod["spec"].get("activeDeadlineSeconds")
            if limit and time.monotonic() - self._began > limit:
                self._fail("DeadlineExceeded", "Pod was active on the node longer than the specified deadline")  # fmt: skip
                raise _Over
            self._pause()

    def _is_ready_by(self, probe: dict[str, Any]) -> bool:
        self._failures = 0 if self._answers(probe) else self._failures + 1
        return not self._failures or (self._ready and self._failures < _FAILURES)

    def _answers(self, probe: dict[str, Any]) -> bool:
        """As a kubelet asks: from the node."""
        get = probe["httpGet"]
        connection = http.client.HTTPConnection(self._sandbox[1], get["port"], timeout=2)
        with (
            contextlib.closing(connection),
            contextlib.suppress(OSError, http.client.HTTPException),
        ):
            with listeners.network_of(self._network.pid):
                channel = socket.socket()
            channel.settimeout(2)
            connection.sock = channel
            channel.connect((self._sandbox[1], get["port"]))
            connection.request("GET", get["path"])
            return connection.getresponse().status < 400
        return False

    def _restart_after(self, code: int) -> bool:
        policy = self._pod["spec"]["restartPolicy"]
        if policy == "Always" or (policy == "OnFailure" and code):
            return True
        reason = "Error" if code else "Completed"
        state = {
            "terminated": {"exitCode": code, "reason": reason, "finishedAt": self._store.now()}
        }
        phase = "Failed" if code else "Succeeded"
        self._change(phase=phase, **self._containers(state, ready=False))
        return False

    def _await_deletion(self) -> None:
        while True:
            self._pause()

    def _pause(self) -> None:
        """Wait a little.

        :raises _Over: the Pod has no more to do
        """
        self._stopped.wait(_PAUSE)
        if self._stopped.is_set():
            raise _Over
        pod = self._store.get(*self._key)
        if pod is None or pod["metadata"]["uid"] != self._pod["metadata"]["uid"]:
            raise _Over
        if "deletionTimestamp" in pod["metadata"]:
            raise _Over
        if pod["status"].get("reason") == "Evicted" and self.container:
            raise _Over

    def _end(self, api: docker.APIClient) -> None:
        grace = self._grace()
        if self.container and grace:
            with contextlib.suppress(docker.errors.APIError):
                api.stop(self.container, timeout=grace)
        self.remove(api)
        self.container = ""
        pod = self._store.get(*self._key)
        if pod is not None and "deletionTimestamp" in pod["metadata"]:
            self._store.remove(*self._key)
            return
        # Evicted, or past its time: the object stays and says so.
        while not self._stopped.wait(_PAUSE):
            pod = self._store.get(*self._key)
            if pod is None or "deletionTimestamp" in pod["metadata"]:
                self._store.remove(*self._key)
                return

    def _grace(self) -> int:
        pod = self._store.get(*self._key) or self._pod
        seconds = pod["metadata"].get("deletionGracePeriodSeconds")
        return int(
            self._pod["spec"]["terminationGracePeriodSeconds"] if seconds is None else seconds
        )

    def _waits(self, reason: str, message: str) -> None:
        if (reason, message) == self._said:
            return
        self._said = (reason, message)
        state = {
            "waiting": {"reason": reason, "message": message} if message else {"reason": reason}
        }
        self._change(phase="Pending", **self._containers(state, ready=False))

    def _runs(self) -> None:
        state = {"running": {"startedAt": self._store.now()}}
        self._change(phase="Running", **self._containers(state, self._ready))

    def _fail(self, reason: str, message: str) -> None:
        state = {"terminated": {"exitCode": 137, "reason": reason}}
        self._change(
            phase="Failed", reason=reason, message=message, **self._containers(state, False)
        )

    def _containers(self, state: dict[str, Any], ready: bool) -> dict[str, Any]:
        (container,) = self._pod["spec"]["containers"]
        status = {
            "name": container["name"],
            "image": container["image"],
            "imageID": "",
            "ready": ready,
            "started": "running" in state,
            "restartCount": self._restarts,
            "state": state,
            "lastState": {},
            **({"containerID": f"docker://{self.container}"} if self.container else {}),
        }
        kinds = (("PodScheduled", True), ("Initialized", True), ("ContainersReady", ready), ("Ready", ready))  # fmt: skip
        now = self._store.now()
        conditions = [
            {"type": kind, "status": "True" if holds else "False", "lastTransitionTime": now}
            for kind, holds in kinds
        ]
        return {"containerStatuses": [status], "conditions": conditions}

    def _change(self, **fields: Any) -> None:
        def change(pod: Object) -> None:
            if pod["metadata"]["uid"] == self._pod["metadata"]["uid"]:
                pod.setdefault("status", {"qosClass": "Burstable", "startTime": self._store.now()})
                if pod["status"].get("reason") != "Evicted":
                    pod["status"] |= {"hostIP": "10.244.0.1", **fields}

        self._store.update(*self._key, change)
