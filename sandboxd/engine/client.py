"""The container engine as typed calls; every failure arrives as an `EnvironmentFailure`."""

from __future__ import annotations

import base64
import contextlib
import json
import socket
from typing import TYPE_CHECKING, Any, NamedTuple

from sandboxd.engine import failures
from sandboxd.engine.contexts import Identity, resolve
from sandboxd.engine.http1 import WireError
from sandboxd.engine.transport import ANSWER_SECONDS, AddressError, ApiError, Transport
from sandboxd.errors import EnvironmentFailure

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

# Making and starting wait for storage and for the runtime, not for a table look-up.
START_SECONDS = 60.0
# A question that touches no container is answered at once.
PING_SECONDS = 3.0
# An engine gives up after about 10 s on a container that cannot be killed, and says so.
END_SECONDS = 20.0


class Summary(NamedTuple):
    """One line of the engine's list of containers."""

    id: str
    name: str
    image: str
    state: str
    labels: Mapping[str, str]
    created: int


class Exec(NamedTuple):
    """A command to run in a running container."""

    command: Sequence[str]
    tty: bool = False
    stdin: bool = False
    user: str = ""
    env: Sequence[str] = ()
    working_dir: str = ""


class Engine:
    """One engine. Cheap to make: nothing is asked before the first call."""

    def __init__(self, identity: Identity) -> None:
        self.identity = identity
        self.host = identity.host
        self.is_local = identity.is_local
        self._transport = Transport(identity.host, identity.tls)

    def info(self) -> dict[str, Any]:
        """The engine's description of itself: runtimes, security options, roots."""
        answer: dict[str, Any] = self._call("GET", "/info")
        return answer

    def answers(self) -> bool:
        """Whether the engine itself answers, whatever one of its containers does."""
        try:
            self._raw("GET", "/_ping", timeout=PING_SECONDS)
        except (ApiError, EnvironmentFailure):
            return False
        return True

    def image_id(self, image: str) -> str:
        """The id behind an image's name.

        :raises EnvironmentFailure: there is no such image
        """
        try:
            return str(self._raw("GET", f"/images/{image}/json")["Id"])
        except ApiError as error:
            if error.status == 404:
                raise failures.image_missing(image) from None
            raise failures.refused(error) from None

    def has_image(self, image: str) -> bool:
        """Whether the engine has an image of this name."""
        try:
            self._raw("GET", f"/images/{image}/json")
        except ApiError as error:
            if error.status == 404:
                return False
            raise failures.refused(error) from None
        return True

    def image_environment(self, image: str) -> list[str]:
        """Names of the variables that an image sets; [] when it is gone."""
        try:
            found = self._raw("GET", f"/images/{image}/json")
        except ApiError as error:
            if error.status == 404:
                return []
            raise failures.refused(error) from None
        variables = (found.get("Config") or {}).get("Env") or []
        return [variable.partition("=")[0] for variable in variables]

    def containers(self, *labels: str) -> list[Summary]:
        """Containers in any state that carry all `labels` (``key`` or ``key=value``)."""
        # Without a filter this would be slow, and break, on a busy engine.
        query = {"all": "1", "filters": json.dumps({"label": list(labels)})}
        found = [
            Summary(
                item["Id"],
                (item.get("Names") or ["/?"])[0].lstrip("/"),
                item.get("Image", ""),
                item.get("State", ""),
                item.get("Labels") or {},
                item.get("Created", 0),
            )
            for item in self._call("GET", "/containers/json", query)
        ]
        return sorted(found, key=lambda item: -item.created)

    def inspect(self, container: str) -> dict[str, Any]:
        """Everything the engine knows of a container.

        :raises ContainerGone: it does not exist
        """
        answer: dict[str, Any] = self._call("GET", f"/containers/{container}/json")
        return answer

    def create(self, name: str, body: Mapping[str, Any]) -> str:
        """Make a container and return its id."""
        answer = self._call("POST", "/containers/create", {"name": name}, body, START_SECONDS)
        return str(answer["Id"])

    def start(self, container: str) -> None:
        """Start a container that exists; nothing happens when it runs already."""
        self._call("POST", f"/containers/{container}/start", timeout=START_SECONDS)

    def unpause(self, container: str) -> None:
        """Let a paused container go on.

        :raises EnvironmentFailure: it is not paused, or its runtime cannot
        """
        self._call("POST", f"/containers/{container}/unpause", timeout=ANSWER_SECONDS)

    def stop(self, container: str, grace: int) -> None:
        """Ask it to end, and kill it after `grace` seconds."""
        query = {"t": str(grace)}
        self._call("POST", f"/containers/{container}/stop", query, timeout=grace + END_SECONDS)

    def remove(self, container: str) -> None:
        """End and remove a container with its anonymous volumes; fine when it is gone already."""
        query = {"force": "1", "v": "1"}
        with contextlib.suppress(failures.ContainerGone):
            self._call("DELETE", f"/containers/{container}", query, timeout=END_SECONDS)

    def path_stat(self, container: str, path: str) -> dict[str, Any] | None:
        """What is at `path` in a container, mounts included, also one that never ran; None: nothing."""
        try:
            headers = self._transport.head(f"/containers/{container}/archive", {"path": path})
        except ApiError as error:
            raise failures.refused(error) from None
        except (OSError, WireError) as error:
            raise failures.unreachable(self.host, error) from None
        if headers is None:
            return None
        return _stat(headers)

    def archive(self, container: str, path: str, most: int) -> tuple[dict[str, Any], bytes] | None:
        """What is at `path`, as `path_stat` says, and the first `most` bytes of it as a tar archive."""
        query = {"path": path}
        try:
            with self._transport.stream(
                f"/containers/{container}/archive", query, ANSWER_SECONDS
            ) as answer:
                return _stat(answer.headers), answer.read(most)
        except ApiError as error:
            if error.status == 404:
                return None
            raise failures.refused(error) from None
        except (OSError, WireError) as error:
            raise failures.unreachable(self.host, error) from None

    def volume(self, name: str) -> dict[str, Any] | None:
        """A volume's description, None when there is none of this name."""
        try:
            found: dict[str, Any] = self._raw("GET", f"/volumes/{name}")
        except ApiError as error:
            if error.status == 404:
                return None
            raise failures.refused(error) from None
        return found

    def remove_volume(self, name: str) -> bool:
        """Remove a volume; False when a container still uses it or it is gone."""
        try:
            self._raw("DELETE", f"/volumes/{name}")
        except ApiError as error:
            if error.status in (404, 409):
                return False
            raise failures.refused(error) from None
        return True

    def network_gateways(self, name: str) -> list[str]:
        """The host's addresses on a network; [] when there is no such network."""
        configs = (self._network(name).get("IPAM") or {}).get("Config") or []
        return [config["Gateway"] for config in configs if config.get("Gateway")]

    def network_containers(self, name: str) -> dict[str, str]:
        """The running containers on a network by id, with their IPv4 addresses."""
        found = self._network(name).get("Containers") or {}
        return {
            container: (entry.get("IPv4Address") or "").partition("/")[0]
            for container, entry in found.items()
        }

    def _network(self, name: str) -> dict[str, Any]:
        """A network's description; {} when there is no such network."""
        try:
            found: dict[str, Any] = self._raw("GET", f"/networks/{name}")
        except ApiError as error:
            if error.status == 404:
                return {}
            raise failures.refused(error) from None
        return found

    def exec_create(self, container: str, request: Exec) -> str:
        """Prepare a command in a running container and return the id to start it by."""
        body = {
            "AttachStdin": request.stdin,
            "AttachStdout": True,
            "AttachStderr": True,
            "Tty": request.tty,
            "Cmd": list(request.command),
            "User": request.user,
            "Env": list(request.env),
            "WorkingDir": request.working_dir,
        }
        return str(self._call("POST", f"/containers/{container}/exec", body=body)["Id"])

    def exec_start(self, exec_id: str, tty: bool) -> tuple[socket.socket, bytes]:
        """Start a prepared command: its connection, and what it said at once."""
        try:
            return self._transport.hijack(f"/exec/{exec_id}/start", {"Detach": False, "Tty": tty})
        except ApiError as error:
            raise failures.refused(error) from None
        except (OSError, WireError) as error:
            raise failures.unreachable(self.host, error) from None

    def exec_exit_code(self, exec_id: str) -> int | None:
        """The exit code of a command, None while the engine says that it runs.

        :raises ContainerGone: the container went away, and its commands with it
        """
        answer = self._call("GET", f"/exec/{exec_id}/json")
        return None if answer.get("Running") else answer.get("ExitCode")

    def exec_resize(self, exec_id: str, rows: int, columns: int) -> None:
        """Tell a command's terminal its size; too late is no error."""
        query = {"h": str(rows), "w": str(columns)}
        with contextlib.suppress(EnvironmentFailure):
            self._call("POST", f"/exec/{exec_id}/resize", query)

    def logs(self, container: str, follow: bool, tail: str) -> Iterator[tuple[int, bytes]]:
        """Pieces of a container's output: 1 for stdout, 2 for stderr."""
        has_tty = self.inspect(container)["Config"].get("Tty", False)
        query = {"stdout": "1", "stderr": "1", "follow": "1" if follow else "0", "tail": tail}
        try:
            answer = self._transport.stream(f"/containers/{container}/logs", query)
        except ApiError as error:
            raise failures.refused(error) from None
        except (OSError, WireError) as error:
            raise failures.unreachable(self.host, error) from None
        with answer:
            if has_tty:
                while piece := answer.read1(65536):
                    yield 1, piece
                return
            while len(head := answer.read(8)) == 8:
                yield head[0], answer.read(int.from_bytes(head[4:], "big"))

    def events(self) -> Iterator[dict[str, Any]]:
        """What happens to containers, their networks and the engine from now on, until it ends.

        The first item is {}: from then on nothing is missed.
        """
        kinds = {"type": ["container", "daemon", "network"]}
        try:
            answer = self._transport.stream("/events", {"filters": json.dumps(kinds)})
            with answer:
                yield {}
                while line := answer.readline():
                    event = json.loads(line)
                    yield event if isinstance(event, dict) else {}
        except ApiError as error:
            raise failures.refused(error) from None
        except (OSError, ValueError, WireError) as error:
            raise failures.unreachable(self.host, error) from None

    def _call(
        self,
        method: str,
        path: str,
        query: Mapping[str, str] | None = None,
        body: object = None,
        timeout: float = ANSWER_SECONDS,
    ) -> Any:
        try:
            return self._raw(method, path, query, body, timeout)
        except ApiError as error:
            raise failures.refused(error) from None

    def _raw(
        self,
        method: str,
        path: str,
        query: Mapping[str, str] | None = None,
        body: object = None,
        timeout: float = ANSWER_SECONDS,
    ) -> Any:
        try:
            return self._transport.request(method, path, query, body, timeout)
        except (OSError, WireError) as error:
            raise failures.unreachable(self.host, error, timeout) from None


def _stat(headers: Mapping[str, str]) -> dict[str, Any]:
    """What the engine says of a path in the headers of an answer."""
    text = headers.get("x-docker-container-path-stat") or ""
    found: dict[str, Any] = json.loads(base64.b64decode(text) or b"{}")
    return found


def connect(identity: Identity) -> Engine:
    """The engine of this identity.

    :raises EnvironmentFailure: its address is of a kind that cannot be used from here
    """
    try:
        return Engine(identity)
    except AddressError:
        raise failures.bad_address(identity.host) from None


def connect_from(environ: Mapping[str, str]) -> Engine:
    """The engine that the docker command would talk to in this environment.

    :raises EnvironmentFailure: its address is of a kind that cannot be used from here
    """
    return connect(resolve(environ))
