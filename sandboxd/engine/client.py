"""The container engine's API as typed calls; every failure is raised as an `EngineFailure`."""

from __future__ import annotations

import base64
import contextlib
import json
import os
from typing import TYPE_CHECKING, Any, NamedTuple, cast

from sandboxd.engine import failures, podman
from sandboxd.engine.address import AddressError
from sandboxd.engine.connection import ANSWER_SECONDS, json_object, json_objects
from sandboxd.engine.contexts import Identity, resolve
from sandboxd.engine.networks import Networks
from sandboxd.engine.start import start
from sandboxd.engine.streams import Growing, Stream, take_over
from sandboxd.engine.subpath_mounts import as_binds
from sandboxd.engine.volumes import Volumes

if TYPE_CHECKING:
    import socket
    from collections.abc import Iterator, Mapping, Sequence

    from requests import Response

    from sandboxd.engine.session import Session
    from sandboxd.model.engine_answers import (
        Config,
        CreateRequest,
        Event,
        Image,
        ImageSummary,
        Inspected,
        PathStat,
    )

# Making and starting wait for storage and for the runtime, not for a table look-up.
START_SECONDS = 60.0
# A question that touches no container is answered at once.
PING_SECONDS = 3.0
# An engine gives up after about 10 s on a container that cannot be killed, and says so.
END_SECONDS = 60.0

_OK = 200
_GONE = 404
_IN_USE = 409


class Summary(NamedTuple):
    """One entry of the engine's list of containers; `created` is in seconds since 1970."""

    id: str
    name: str
    image: str
    state: str
    labels: Mapping[str, str]
    created: int


class Exec(NamedTuple):
    """A command to run in a running container; '' for the user and the folder of the container itself."""

    command: Sequence[str]
    tty: bool = False
    stdin: bool = False
    user: str = ""
    env: Sequence[str] = ()
    working_dir: str = ""


class Engine(Networks, Volumes):
    """One engine. Any call may raise `EngineFailure`: the engine cannot be reached, or refuses."""

    def version(self) -> dict[str, Any]:
        """The versions of the engine and its parts."""
        with self.asking() as session:
            return json_object(session.version(api_version=False))

    def signature(self) -> str:
        """The header `Server` of the engine's answers, its name and version; '' where it sends none."""
        with self.asking() as session:
            return session.signature()

    def info(self) -> dict[str, Any]:
        """The engine's description of itself: runtimes, security options, roots."""
        with self.asking() as session:
            info = json_object(session.info())
            return podman.info(info, podman.controllers(session)) if session.is_podman else info

    def answers(self) -> bool:
        """Whether the engine answers requests at all, even if it hangs when asked about one of its containers."""
        try:
            with self.asking(PING_SECONDS) as session:
                session.ping()
        except failures.EngineFailure:
            return False
        return True

    def image_id(self, image: str) -> str:
        """The id of the image with this name.

        :raises EngineFailure: there is no such image
        """
        with self.asking(accepted=(_GONE,)) as session:
            return str(json_object(session.inspect_image(image))["Id"])
        raise failures.image_missing(image)

    def has_image(self, image: str) -> bool:
        """Whether the engine has an image of this name."""
        return self._image(image) is not None

    def image_environment(self, image: str) -> list[str]:
        """The names of the variables that an image sets; [] when there is no such image."""
        variables = self._config(image).get("Env") or []
        return [variable.partition("=")[0] for variable in variables]

    def image_labels(self, image: str) -> Mapping[str, str]:
        """The labels of an image; {} when there is no such image."""
        return self._config(image).get("Labels") or {}

    def images(self, label: str) -> list[ImageSummary]:
        """The engine's list of the images that carry `label` (``key`` or ``key=value``)."""
        with self.asking() as session:
            return cast(
                "list[ImageSummary]", json_objects(session.images(filters={"label": [label]}))
            )

    def images_named(self, pattern: str) -> list[ImageSummary]:
        """The engine's list of the images whose name matches `pattern`, in the syntax of the filter `reference`."""
        with self.asking() as session:
            answer = session.images(filters={"reference": [pattern]})
            return cast("list[ImageSummary]", json_objects(answer))

    def import_image(
        self,
        archive: bytes,
        name: str,
        tag: str,
        label: str = "",
        seconds: float | None = None,
    ) -> None:
        """Make an image from a tar archive of a root file system; `label` is ``key=value``, '' for none."""
        changes = [f"LABEL {label}"] if label else None
        with self.asking(seconds) as session:
            # Not `import_image_from_data`, which has no time limit.
            params = {"fromSrc": "-", "repo": name, "tag": tag, "changes": changes}
            headers = {"Content-Type": "application/x-tar"}
            url = session._url("/images/create")
            session._result(session._post(url, data=archive, params=params, headers=headers))

    def remove_image(self, image: str) -> None:
        """Remove an image."""
        with self.asking() as session:
            session.remove_image(image)

    def _config(self, image: str) -> Config:
        description = self._image(image)
        return (description.get("Config") if description is not None else None) or {}

    def _image(self, image: str) -> Image | None:
        with self.asking(accepted=(_GONE,)) as session:
            return cast("Image", json_object(session.inspect_image(image)))
        return None

    def containers(self, *labels: str, every: bool = True) -> list[Summary]:
        """The containers with all `labels` (``key`` or ``key=value``), newest first; without `every` only those that
        run.
        """
        # Without a filter this would be slow, and break, on a busy engine.
        filters = {"label": list(labels)} if labels else None
        with self.asking() as session:
            summaries = [
                Summary(
                    item["Id"],
                    (item.get("Names") or ["/?"])[0].lstrip("/"),
                    item.get("Image", ""),
                    item.get("State", ""),
                    item.get("Labels") or {},
                    item.get("Created", 0),
                )
                for item in json_objects(session.containers(all=every, filters=filters))
            ]
        return sorted(summaries, key=lambda item: -item.created)

    def inspect(self, container: str) -> Inspected:
        """Everything the engine knows of a container.

        :raises ContainerGone: it does not exist
        """
        with self.asking() as session:
            answer = cast("Inspected", json_object(session.inspect_container(container)))
            return podman.described(session, answer) if session.is_podman else as_binds(answer)

    def create(self, name: str | None, body: CreateRequest) -> str:
        """Create a container and return its id; without a `name` the engine makes one up.

        :raises EnvironmentFailure: Podman cannot read the seccomp filter that `body` contains
        """
        with self.asking(START_SECONDS) as session:
            if session.is_podman:
                podman.make_volumes(session, body)
                keep = podman.keeper(self.host, self.is_local)
                body = podman.request(body, keep, podman.controllers(session))
            # Not `create_container`: that puts the proxies of config.json into the container.
            return str(json_object(session.create_container_from_config(dict(body), name))["Id"])

    def start(self, container: str, seconds: float | None = None) -> None:
        """Start a container; no error when it runs already. `seconds` is a time limit, None for the usual one."""
        start(self, container, seconds or START_SECONDS)

    def pause(self, container: str, seconds: float | None = None) -> None:
        """Freeze all processes of a running container; `seconds` is a time limit, None for the usual one.

        :raises EngineFailure: it does not run, is paused already, or its runtime cannot pause
        """
        with self.asking(seconds) as session:
            session.pause(container)

    def unpause(self, container: str) -> None:
        """Resume a paused container; :raises EngineFailure: it is not paused, or its runtime cannot resume"""
        with self.asking() as session:
            session.unpause(container)

    def stop(self, container: str, grace: int) -> None:
        """Send the container its stop signal, and kill it after `grace` seconds."""
        with self.asking(END_SECONDS) as session:
            session.stop(container, grace)

    def wait(self, container: str, seconds: float) -> int:
        """Wait until a container has ended, at most `seconds`; returns its exit code."""
        with self.asking(seconds) as session:
            return int(json_object(session.wait(container, timeout=seconds))["StatusCode"])

    def remove(self, container: str, seconds: float | None = None) -> None:
        """Kill and remove a container with its anonymous volumes; no error when there is none. `seconds` as in
        `start`.
        """
        with (
            contextlib.suppress(failures.ContainerGone),
            self.asking(seconds or END_SECONDS) as session,
        ):
            if session.is_podman:
                podman.kill(session, container)
            session.remove_container(container, v=True, force=True)

    def path_stat(self, container: str, path: str) -> PathStat | None:
        """The status of `path` in a container, mounts included; None when nothing is there. It need not have run."""
        with self.asking(accepted=(_GONE,)) as session:
            url = session._url("/containers/{0}/archive", container)
            return _stat(session.head(url, params={"path": os.fsencode(path)}).headers)
        return None

    def archive(self, container: str, path: str, most: int) -> tuple[PathStat, bytes] | None:
        """The status of `path` and the first `most` bytes of a tar archive of it; None when nothing is there."""
        with self.asking(accepted=(_GONE,)) as session:
            url = session._url("/containers/{0}/archive", container)
            with contextlib.closing(Stream(session.open(url, path=os.fsencode(path)))) as answer:
                return _stat(answer.headers), answer.read(most)
        return None

    def commit(self, container: str) -> str:
        """Make an unnamed image of a container's files, and return its id."""
        with self.asking(END_SECONDS) as session:
            return str(json_object(session.commit(container))["Id"])

    def exec_create(self, container: str, request: Exec) -> str:
        """Prepare a command in a running container; returns its id for `exec_start`."""
        with self.asking() as session:
            prepared = session.exec_create(
                container,
                list(request.command),
                stdin=request.stdin,
                tty=request.tty,
                user=request.user,
                environment=list(request.env),
                workdir=request.working_dir or None,
            )
            return str(json_object(prepared)["Id"])

    def exec_start(self, exec_id: str, tty: bool) -> tuple[socket.socket, bytes]:
        """Start a prepared command; returns its connection, and output that arrived together with the head of the
        answer.
        """
        with self.asking() as session:
            data = {"Detach": False, "Tty": tty}
            return take_over(session.switch(session._url("/exec/{0}/start", exec_id), data))

    def attach(self, container: str) -> tuple[socket.socket, bytes]:
        """A connection to a container's main process, which need not run yet, and the output that came with the
        answer.

        What is sent is the process's input; its output comes in frames for `frames.pump`. Several may attach.
        """
        with self.asking() as session:
            url = session._url("/containers/{0}/attach", container)
            return take_over(session.switch(url, stream=1, stdin=1, stdout=1, stderr=1))

    def exec_exit_code(self, exec_id: str) -> int | None:
        """The exit code of a command; None while the engine says that it runs.

        :raises ContainerGone: the container was removed, and its commands with it
        """
        with self.asking() as session:
            answer = json_object(session.exec_inspect(exec_id))
            return None if answer.get("Running") else answer.get("ExitCode")

    def exec_resize(self, exec_id: str, rows: int, columns: int) -> None:
        """Set the size of a command's terminal; no error if the command has ended."""
        with contextlib.suppress(failures.EngineFailure), self.asking() as session:
            session.exec_resize(exec_id, height=rows, width=columns)

    def open_logs(self, container: str, follow: bool, tail: str, since: int = 0) -> Growing | None:
        """A connection for `frames.Chunks` with a container's output; None where only `logs` works. Parameters as
        there.
        """
        has_tty = bool(self.inspect(container)["Config"].get("Tty"))
        with self.asking() as session:
            response = self._open_logs(session, container, follow, tail, since)
            if response.headers.get("Transfer-Encoding") != "chunked":
                response.close()
                return None
            return Growing(*take_over(response, _OK), has_tty)

    def logs(
        self, container: str, follow: bool, tail: str, since: int = 0
    ) -> Iterator[tuple[int, bytes]]:
        """Pieces of a container's output, each with its stream: 1 for stdout, 2 for stderr.

        :param follow: wait for further output as long as the container runs
        :param tail: the number of last lines, or `all`
        :param since: in seconds since 1970; 0 for the beginning
        """
        has_tty = self.inspect(container)["Config"].get("Tty", False)
        with (
            self.asking() as session,
            contextlib.closing(
                Stream(self._open_logs(session, container, follow, tail, since))
            ) as answer,
        ):
            if follow:
                answer.settimeout(None)
            if has_tty:
                yield from ((1, piece) for piece in answer.pieces())
            else:
                yield from answer.frames()

    def _open_logs(
        self, session: Session, container: str, follow: bool, tail: str, since: int
    ) -> Response:
        # Not the SDK's `logs`: that mixes the two streams.
        params = {"stdout": 1, "stderr": 1, "follow": int(follow), "tail": tail}
        if since:
            params["since"] = since
        return session.open(session._url("/containers/{0}/logs", container), **params)

    def events(self) -> Iterator[Event]:
        """Events of containers, of their networks and of the engine, from now on until the stream ends.

        The first item is {}, which tells that every later event will be received.
        """
        kinds = json.dumps({"type": ["container", "daemon", "network"]})
        # Not the SDK's `events`: that waits without a limit for the stream to open.
        with (
            self.asking() as session,
            contextlib.closing(
                Stream(session.open(session._url("/events"), filters=kinds))
            ) as answer,
        ):
            yield {}
            answer.settimeout(None)
            for line in answer.lines():
                yield cast("Event", json_object(json.loads(line)))


def _stat(headers: Mapping[str, str]) -> PathStat:
    """The description of a path that the engine puts into the headers of an answer."""
    text = headers.get("x-docker-container-path-stat") or ""
    return cast("PathStat", json_object(json.loads(base64.b64decode(text) or b"{}")))


def connect(identity: Identity, answer_seconds: float = ANSWER_SECONDS) -> Engine:
    """A client for the engine with this identity; no request is sent yet.

    :param answer_seconds: the time limit in seconds for one answer
    :raises EngineFailure: its address is of a kind that cannot be used from here
    """
    try:
        return Engine(identity, answer_seconds)
    except AddressError:
        raise failures.bad_address(identity.host) from None


def connect_from(environ: Mapping[str, str]) -> Engine:
    """A client for the engine that the docker command would use with this environment.

    :raises EngineFailure: its address is of a kind that cannot be used from here
    """
    return connect(resolve(environ))
