"""A cluster without containers: the API server of the tests' cluster by TLS, a node that says of each Pod what a test
orders, and Pods whose commands run on this machine.
"""

from __future__ import annotations

import contextlib
import json
import os
import re
import socket
import ssl
import subprocess
import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, cast

from sandboxd.backends.kubernetes.kubeconfig import Context
from tests.certificates import self_signed
from tests.e2e.docker_cluster.admission import Admission
from tests.e2e.docker_cluster.api import Api, Fault
from tests.e2e.docker_cluster.controllers import Controllers
from tests.e2e.docker_cluster.resources import SANDBOX, Catalogue
from tests.e2e.docker_cluster.server import Server
from tests.e2e.docker_cluster.store import Object, Store
from tests.e2e.docker_cluster.streams import Command
from tests.e2e.docker_cluster.websocket import WebSocket

_EVERYBODY = re.compile(r"kill -\w+ -1\b")
"""A signal for all processes of a Pod, which are all of this machine here."""
_STOP = b"os.kill(pid, signal.SIGSTOP)"
"""The call by which our programs stop all other processes of a Pod."""
_NO_STOP = b"os.kill(pid, 0)".ljust(len(_STOP))
"""As long: the size of an input is told before it."""


class LightCluster:
    """A cluster with one node, `node-1`, and a namespace `default`."""

    def __init__(self, folder: Path, *, agent_sandbox: bool = False) -> None:
        self.home = folder / "pod-home"
        self.home.mkdir(parents=True)
        self.store, self.kinds = Store(), Catalogue(*((SANDBOX,) if agent_sandbox else ()))
        self.admission = Admission(self.store)
        self.api = Api(self.store, self.admission, self.kinds)
        self.controllers = Controllers(self.store, self.admission, self.kinds)
        self.has_controllers = True
        self.status: Callable[[Object], Object | None] = running
        """What the node says of a Pod; None for nothing."""
        self.before_command: Callable[[list[str]], None] = lambda _: None
        """Called before each command in a Pod."""
        self.written: list[bytes] = []
        """Lines that the main process of each Pod wrote."""
        for name in ("default", "kube-system"):
            self.make("Namespace", "", {"metadata": {"name": name}})
        ready = {"conditions": [{"type": "Ready", "status": "True"}]}
        self.make("Node", "", {"metadata": {"name": "node-1"}, "spec": {}, "status": ready})
        self_signed(folder, "127.0.0.1", "localhost", key="key.pem", certificate="cert.pem")
        self.certificate = folder / "cert.pem"
        self.server = _Server(self, folder)
        listener = socket.create_server(("127.0.0.1", 0))
        self.url = f"https://localhost:{listener.getsockname()[1]}"
        self.server.listen(listener)
        self._worker = threading.Thread(target=self._work, daemon=True)
        self._worker.start()

    @property
    def context(self) -> Context:
        cluster = {"server": self.url, "certificate-authority": str(self.certificate)}
        return Context("team", "default", cluster, {"token": "the-token"}, "")

    def kubeconfig(self, file: Path) -> Path:
        """Write a kubeconfig that leads here by its context `team`."""
        context = self.context
        config = {
            "clusters": [{"name": "light", "cluster": context.cluster}],
            "contexts": [{"name": "team", "context": {"cluster": "light", "user": "dev"}}],
            "users": [{"name": "dev", "user": context.user}],
        }
        file.write_text(json.dumps(config))
        return file

    def make(self, kind: str, namespace: str, value: Object) -> Object:
        """Keep an object that no request made."""
        return self.store.create(self.kinds.of_kind(kind), namespace, value)

    def fault(self, code: int, verb: str = "*", resource: str = "*", **more: Any) -> Fault:
        """Answer with an error from now on: see `Fault`."""
        fault = Fault(code, verb, resource, **more)
        self.api.faults.append(fault)
        return fault

    def names(self) -> list[str]:
        """What a sandbox leaves in the namespace: kind and name of each object."""
        kinds = ("Pod", "Sandbox", "Deployment", "Service", "ConfigMap", "NetworkPolicy")
        return [
            f"{kind} {each['metadata']['name']}"
            for kind in kinds
            for each in self.store.all(kind, "default")
        ]

    def close(self) -> None:
        self.server.close()
        self.store.close()
        self._worker.join()

    def _work(self) -> None:
        """What controllers and the node do after each change."""
        while not self.store.closed:
            version = self._version()
            if self.has_controllers:
                self.controllers.look()
            for pod in self.store.all("Pod"):
                self._run(pod)
            with self.store.changed:
                while not self.store.closed and version == self._version():
                    self.store.changed.wait()

    def _version(self) -> str:
        return self.store.listed("Node", "", lambda _: True)[1]

    def _run(self, pod: Object) -> None:
        place = ("Pod", pod["metadata"]["namespace"], pod["metadata"]["name"])
        if "deletionTimestamp" in pod["metadata"]:
            self.store.remove(*place)
            return
        status = self.status(pod) if "status" not in pod else None
        if status is not None:
            self.store.update(*place, lambda value: value.__setitem__("status", status))


class _Server(Server):
    """Runs the commands of Pods on this machine."""

    def __init__(self, cluster: LightCluster, folder: Path) -> None:
        super().__init__(cluster.api, cast("Any", _Node()), cluster.certificate, folder / "key.pem")
        self._cluster = cluster

    def show_log(
        self, _container: str, query: dict[str, str], write: Callable[[bytes], None]
    ) -> None:
        written, tail = self._cluster.written, query.get("tailLines")
        for line in written[-int(tail) :] if tail else written:
            write(line)

    def run(self, command: Command, peer: WebSocket, protocol: str) -> None:
        self._cluster.before_command(command.words)
        words = [_EVERYBODY.sub(":", word) for word in command.words]
        environ = {**os.environ, "HOME": str(self._cluster.home), "GIT_CONFIG_GLOBAL": "/dev/null"}
        process = subprocess.Popen(
            words, stdin=subprocess.PIPE if command.stdin else subprocess.DEVNULL,
            stdout=subprocess.PIPE, stderr=subprocess.STDOUT, bufsize=0, env=environ,
        )  # fmt: skip
        if process.stdin is not None:
            threading.Thread(target=_feed, args=(process.stdin, peer), daemon=True).start()
        assert process.stdout is not None
        with process:
            try:
                while piece := process.stdout.read(1 << 16):
                    peer.send(b"\x01" + piece)
                peer.send(b"\x03" + json.dumps(_ended(process.wait())).encode())
                peer.close()
            except OSError:
                process.kill()


class _Node:
    """Each Pod that there is has a container."""

    @staticmethod
    def container_of(uid: str) -> str:
        return uid


class Harmless:
    """The input of commands, in which our programs stop nobody: it would be everybody on this machine."""

    def __init__(self) -> None:
        self._rest = b""

    def feed(self, piece: bytes) -> bytes:
        """The input up to `piece`, but for an end that may be the beginning of that call."""
        text = (self._rest + piece).replace(_STOP, _NO_STOP)
        sizes = range(len(_STOP) - 1, 0, -1)
        held = next((size for size in sizes if text.endswith(_STOP[:size])), 0)
        self._rest = text[len(text) - held :]
        return text[: len(text) - held]

    def end(self) -> bytes:
        """The rest of the input."""
        return self._rest


def _feed(channel: Any, peer: WebSocket) -> None:
    harmless = Harmless()
    with contextlib.suppress(OSError):
        while (message := peer.receive()) and message[0] != 255:
            if message[0] == 0:
                left = memoryview(harmless.feed(message[1:]))
                while left:
                    left = left[channel.write(left) :]
        if rest := harmless.end():
            channel.write(rest)
    with contextlib.suppress(OSError):
        channel.close()


def _ended(code: int) -> Object:
    if not code:
        return {"status": "Success"}
    causes = [{"reason": "ExitCode", "message": str(code)}]
    return {"status": "Failure", "reason": "NonZeroExitCode", "details": {"causes": causes}}


def running(pod: Object, outcome: str = "enforced") -> Object:
    """The status of a Pod that runs, whose network trial saw `outcome`."""

    def container(each: Object, state: Object) -> Object:
        head = {"name": each["name"], "image": each["image"], "imageID": "", "restartCount": 0}
        return {**head, "state": state, "ready": True}

    message = json.dumps({"outcome": outcome, "evidence": "as the test says"})
    ended = {"terminated": {"exitCode": 0, "reason": "Completed", "message": message, "finishedAt": "2026-01-01T00:00:00Z"}}  # fmt: skip
    spec = pod["spec"]
    return {
        "phase": "Running",
        "podIP": "10.244.0.9",
        "conditions": [{"type": "Ready", "status": "True"}],
        "initContainerStatuses": [
            container(each, ended) for each in spec.get("initContainers", ())
        ],
        "containerStatuses": [container(each, {"running": {}}) for each in spec["containers"]],
    }


@contextlib.contextmanager
def light_cluster(folder: Path, **options: Any) -> Iterator[LightCluster]:
    """A cluster while the block runs."""
    cluster = LightCluster(folder, **options)
    try:
        yield cluster
    finally:
        cluster.close()


def strict_contexts(patch: Any) -> None:
    """Have this Python check certificates as strictly as Python 3.13 does by itself."""
    create = ssl.create_default_context

    def strict(*args: Any, **more: Any) -> ssl.SSLContext:
        context = create(*args, **more)
        context.verify_flags |= ssl.VERIFY_X509_STRICT
        return context

    patch.setattr(ssl, "create_default_context", strict)
