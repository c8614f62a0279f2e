"""A container engine without containers: it remembers what it is asked to make, and forgets nothing.

Fast enough to kill commands in the middle a thousand times, and it knows afterwards what was left.
"""

from __future__ import annotations

import base64
import contextlib
import itertools
import json
import os
import queue
import re
import socket
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, unquote, urlsplit

from sandboxd.model.labels import PROJECT
from tests.integration.stub_http import CHUNKED, frame, reply, request, send_chunk

IMAGE = "stub/image:1"
CONFIG = f'image = "{IMAGE}"\n[network]\nmode = "none"\n'
"""A `sandboxd.toml` that it can start: it has no networks, which a gateway needs."""
_VERSION = {"Version": "27.0.0", "ApiVersion": "1.46", "MinAPIVersion": "1.24", "Os": "linux"}
_ENDS = re.compile(r"grep -ls (\S+) .*?kill -(\d+)", re.DOTALL)

_EXIT = re.compile(r"(?:sh -c )?exit (\d+)")


class Container:
    """One that was made; `state` is docker's word for it."""

    def __init__(self, name: str, body: dict[str, Any]) -> None:
        self.name = name
        self.body = body
        self.state = "created"
        self.created = int(time.time())
        self.started = ""
        boot_id = Path("/proc/sys/kernel/random/boot_id").read_bytes()
        self.output: list[tuple[int, bytes]] = [(1, boot_id + b"Linux")]
        """What it wrote: 1 for stdout, 2 for stderr; at any other the engine breaks off. More of it reaches
        those who follow."""


class Command:
    """A command in a container: `exit N`, `cat`, and `sleep`, which runs until it is killed; others end."""

    def __init__(self, container: str, body: dict[str, Any]) -> None:
        self.container = container
        self.words: list[str] = body["Cmd"]
        self.env: list[str] = body.get("Env") or []
        self.code: int | None = None
        self.connection: socket.socket | None = None
        self.size = (0, 0)

    def end(self, code: int) -> None:
        if self.code is None:
            self.code = code
        if self.connection is not None:
            with contextlib.suppress(OSError):
                self.connection.shutdown(socket.SHUT_RDWR)


class StubEngine:
    """Listens on a Unix socket until `close`. `delay` is slept before each answer."""

    def __init__(self, folder: Path) -> None:
        folder.mkdir(exist_ok=True)
        self.path = folder / "stub.sock"
        self.host = f"unix://{self.path}"
        self.containers: dict[str, Container] = {}
        self.commands: dict[str, Command] = {}
        self.volumes: dict[str, dict[str, str]] = {}
        """Labels by name; nothing lies in them."""
        self.requests: list[str] = []
        self.delay = 0.0
        self._starts_go_on = threading.Event()
        self._starts_go_on.set()
        self._numbers = itertools.count(1)
        self._listeners: list[queue.SimpleQueue[bytes]] = []
        self._lock = threading.Lock()
        self._server = socket.socket(socket.AF_UNIX)
        self._server.bind(str(self.path))
        self._server.listen(256)
        threading.Thread(target=self._accept, daemon=True).start()

    def close(self) -> None:
        with contextlib.suppress(OSError):
            self._server.shutdown(socket.SHUT_RDWR)
        self._server.close()

    @contextlib.contextmanager
    def hold_starts(self) -> Iterator[None]:
        """Within the block a sandbox that is made is not started yet, and who asked for it waits."""
        self._starts_go_on.clear()
        try:
            yield
        finally:
            self._starts_go_on.set()

    def running(self) -> list[Command]:
        """Commands that have not ended, in containers that are there."""
        return [
            c for c in list(self.commands.values()) if c.code is None and c.connection is not None
        ]

    def of_projects(self) -> list[Container]:
        """Sandboxes, in any state: not the containers by which a runtime is tried or a sandbox is seen."""
        containers = list(self.containers.values())
        return [c for c in containers if _labels(c).get(PROJECT, "none") != "none"]

    def _accept(self) -> None:
        while True:
            try:
                connection, _ = self._server.accept()
            except OSError:
                return
            threading.Thread(target=self._serve, args=(connection,), daemon=True).start()

    def _serve(self, connection: socket.socket) -> None:
        with connection, contextlib.suppress(OSError, ValueError):
            while True:
                reader = connection.makefile("rb")
                method, target, body = request(reader)
                path = re.sub(r"^/v1\.\d+", "", urlsplit(target).path)
                query = {k: v[0] for k, v in parse_qs(urlsplit(target).query).items()}
                self.requests.append(f"{method} {path}")
                time.sleep(self.delay)
                if path == "/events":
                    return self._events(connection)
                if re.fullmatch(r"/exec/\w+/start", path):
                    return self._run(connection, self.commands[path.split("/")[2]])
                start = re.fullmatch(r"/containers/([^/]+)/start", path)
                if start and self.containers.get(start[1]) in self.of_projects():
                    self._starts_go_on.wait()
                logs = re.fullmatch(r"/containers/([^/]+)/logs", path)
                if logs and self._show(connection, logs[1], follow=query.get("follow") == "1"):
                    continue
                with self._lock:
                    status, answer, headers = self._answer(method, path, query, body)
                reply(connection, status, answer, headers, is_head=method == "HEAD")

    def _answer(
        self, method: str, path: str, query: dict[str, str], body: Any
    ) -> tuple[int, Any, dict[str, str]]:
        parts = unquote(path).strip("/").split("/")
        if parts[0] == "_ping":
            return 200, b"OK", {"Api-Version": "1.46"}
        if parts[0] == "version":
            return 200, _VERSION, {}
        if parts[0] == "info":
            runtimes = {"runc": {"path": "runc"}}
            known = {"ID": "stub", "Runtimes": runtimes, "DefaultRuntime": "runc"}
            more = {"OSType": "linux", "Architecture": "x86_64", "CgroupVersion": "2"}
            return 200, {**known, **more, "ServerVersion": "27.0.0", "NCPU": 2}, {}
        if parts[0] == "images":
            return self._image(method, parts)
        if parts[0] == "containers":
            return self._container(method, parts[1:], query, body)
        if parts == ["networks"]:
            return 200, [], {}
        if parts[0] == "volumes":
            return self._volume(method, parts[1:], query, body)
        if parts[0] == "exec":
            command = self.commands.get(parts[1])
            if command is None:
                return 404, {"message": f"No such exec: {parts[1]}"}, {}
            if parts[2] == "resize":
                command.size = (int(query["h"]), int(query["w"]))
                return 201, {}, {}
            return 200, {"Running": command.code is None, "ExitCode": command.code}, {}
        return 404, {"message": f"no such thing: {path}"}, {}

    def _image(self, method: str, parts: list[str]) -> tuple[int, Any, dict[str, str]]:
        if method in ("POST", "DELETE"):
            return 200, {"status": "done"}, {}
        if parts[1:] == ["json"]:
            return 200, [{"Id": "sha256:1", "RepoTags": [IMAGE], "Labels": {}}], {}
        if "/".join(parts[1:-1]) in (IMAGE, "sha256:1"):
            return 200, {"Id": "sha256:1", "Config": {"Env": [], "Labels": {}}}, {}
        return 404, {"message": "No such image"}, {}

    def _volume(
        self, method: str, parts: list[str], query: dict[str, str], body: Any
    ) -> tuple[int, Any, dict[str, str]]:
        if parts == ["create"]:
            labels = self.volumes.setdefault(body["Name"], body.get("Labels") or {})
            return 201, {"Name": body["Name"], "Labels": labels}, {}
        if not parts:
            wanted = json.loads(query.get("filters", "{}")).get("label", [])
            pairs = [label.partition("=") for label in wanted]
            volumes = [
                {"Name": name, "Labels": labels}
                for name, labels in self.volumes.items()
                if all(
                    labels.get(key) == (value or labels.get(key, "-")) for key, _, value in pairs
                )
            ]
            return 200, {"Volumes": volumes}, {}
        if parts[0] not in self.volumes:
            return 404, {"message": f"No such volume: {parts[0]}"}, {}
        if method == "DELETE":
            del self.volumes[parts[0]]
            return 204, b"", {}
        return 200, {"Name": parts[0], "Labels": self.volumes[parts[0]]}, {}

    def _container(
        self, method: str, parts: list[str], query: dict[str, str], body: Any
    ) -> tuple[int, Any, dict[str, str]]:
        if parts == ["json"]:
            wanted = json.loads(query.get("filters", "{}")).get("label", [])
            return 200, [_summary(i, c) for i, c in self.containers.items() if _has(c, wanted)], {}
        if parts == ["create"]:
            if any(c.name == query.get("name") for c in self.containers.values()):
                words = f'Conflict. The container name "/{query["name"]}" is already in use'
                return 409, {"message": words}, {}
            identity = f"{next(self._numbers):064x}"
            name = query.get("name") or identity[:12]
            self.containers[identity] = Container(name, body)
            return 201, {"Id": identity, "Warnings": []}, {}
        identity = next((i for i, c in self.containers.items() if parts[0] in (i, c.name)), "")
        if not identity:
            return 404, {"message": f"No such container: {parts[0]}"}, {}
        container = self.containers[identity]
        if method == "DELETE":
            self._end(identity)
            del self.containers[identity]
            return 204, b"", {}
        if parts[1] == "start":
            container.state, container.started = "running", str(time.time())
            self._tell("start", identity)
            return 204, b"", {}
        if parts[1] == "stop":
            self._end(identity)
            container.state = "exited"
            return 204, b"", {}
        if parts[1] == "wait":
            return 200, {"StatusCode": 0}, {}
        if parts[1] == "exec":
            if container.state != "running":
                return 409, {"message": f"container {identity} is not running"}, {}
            number = f"{next(self._numbers):064x}"
            self.commands[number] = Command(identity, body)
            return 201, {"Id": number}, {}
        if parts[1] == "archive" and method == "PUT":
            return 200, b"", {}
        if parts[1] == "archive":
            return _archive(container, query["path"])
        return 200, _inspect(identity, container), {}

    def _end(self, container: str) -> None:
        for command in list(self.commands.values()):
            if command.container == container:
                command.end(137)
        self._tell("die", container)

    def _run(self, connection: socket.socket, command: Command) -> None:
        command.connection = connection
        connection.sendall(
            b"HTTP/1.1 101 UPGRADED\r\nContent-Type: application/vnd.docker.raw-stream\r\n"
            b"Connection: Upgrade\r\nUpgrade: tcp\r\n\r\n"
        )
        script = " ".join(command.words)
        exit_code = _EXIT.fullmatch(script)
        killing = _ENDS.search(script)
        if killing is not None:
            for other in list(self.commands.values()):
                if killing[1] in other.env:
                    other.end(128 + int(killing[2]))
            command.code = 0
        elif command.words == ["cat"]:
            while data := connection.recv(65536):
                connection.sendall(frame(1, data))
            command.code = 0
        elif exit_code is not None:
            connection.sendall(frame(1, b"out") + frame(2, b"err"))
            command.code = int(exit_code[1])
        elif command.words[:1] != ["sleep"]:
            command.code = 0
        else:
            while command.code is None and connection.recv(65536):
                continue
            # Without a reader it goes on: only a signal or the end of its container ends it.
            while command.code is None and command.container in self.containers:
                time.sleep(0.01)
        with contextlib.suppress(OSError):
            connection.shutdown(socket.SHUT_RDWR)

    def _show(self, connection: socket.socket, name: str, *, follow: bool) -> bool:
        """Send the output of a container in chunks, as Docker does; False: there is no such one."""
        # Others make some and remove some meanwhile.
        matches = [c for i, c in list(self.containers.items()) if name in (i, c.name)]
        if not matches:
            return False
        (container,) = matches
        connection.sendall(CHUNKED)
        sent = 0
        while True:
            is_running = (
                container in list(self.containers.values()) and container.state == "running"
            )
            for stream, data in container.output[sent:]:
                if stream not in (1, 2):
                    raise ValueError("broken off")
                send_chunk(connection, frame(stream, data))
                sent += 1
            if not follow or not is_running:
                connection.sendall(b"0\r\n\r\n")
                return True
            time.sleep(0.01)

    def _events(self, connection: socket.socket) -> None:
        events: queue.SimpleQueue[bytes] = queue.SimpleQueue()
        self._listeners.append(events)
        connection.sendall(CHUNKED)
        while True:
            send_chunk(connection, events.get())

    def _tell(self, action: str, container: str) -> None:
        event = {"Type": "container", "Action": action, "Actor": {"ID": container}}
        for listener in self._listeners:
            listener.put(json.dumps(event).encode() + b"\n")


@contextlib.contextmanager
def stub_engine(folder: Path) -> Iterator[StubEngine]:
    """One that listens in `folder`, whose path is short."""
    engine = StubEngine(folder)
    try:
        yield engine
    finally:
        engine.close()


def _labels(container: Container) -> dict[str, str]:
    return container.body.get("Labels") or {}


def _has(container: Container, wanted: list[str]) -> bool:
    labels = _labels(container)
    return all(
        name in labels and (not sign or labels[name] == value)
        for name, sign, value in (text.partition("=") for text in wanted)
    )


def _summary(identity: str, container: Container) -> dict[str, Any]:
    return {
        "Id": identity,
        "Names": [f"/{container.name}"],
        "Image": container.body["Image"],
        "State": container.state,
        "Labels": _labels(container),
        "Created": container.created,
    }


def _inspect(identity: str, container: Container) -> dict[str, Any]:
    host = container.body.get("HostConfig") or {}
    mounts = [
        {
            "Type": mount["Type"],
            "Source": mount.get("Source", ""),
            "Destination": mount["Target"],
            "RW": not mount.get("ReadOnly", False),
        }
        for mount in host.get("Mounts") or []
    ]
    running = container.state == "running"
    state = {"Running": running, "Status": container.state, "StartedAt": container.started}
    return {
        "Id": identity,
        "Name": f"/{container.name}",
        "Image": "sha256:1",
        "State": {**state, "ExitCode": 0, "OOMKilled": False, "Pid": 0},
        "Config": {**container.body, "Labels": _labels(container), "Tty": False},
        "HostConfig": host,
        "Mounts": mounts,
        "NetworkSettings": {"Networks": {}},
    }


def _archive(container: Container, path: str) -> tuple[int, Any, dict[str, str]]:
    """The state of a path in a container: that of the folder or file behind the mount it is in."""
    mounts = (container.body.get("HostConfig") or {}).get("Mounts") or []
    binds = [m for m in mounts if m["Type"] == "bind" and f"{path}/".startswith(f"{m['Target']}/")]
    for mount in sorted(binds, key=lambda m: -len(m["Target"])):
        source = mount["Source"] + path[len(mount["Target"]) :]
        with contextlib.suppress(OSError):
            here = os.lstat(source)
            kind = (1 << 31) * os.path.isdir(source) | (1 << 27) * os.path.islink(source)
            stat_header = {"name": os.path.basename(path), "size": here.st_size, "mode": kind}
            header = base64.b64encode(json.dumps(stat_header).encode()).decode()
            return 200, b"", {"X-Docker-Container-Path-Stat": header}
    return 404, {"message": "no such file or directory"}, {}
