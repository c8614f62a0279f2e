"""Has an engine get an image from its registry."""

from __future__ import annotations

import contextlib
import json
import os
from typing import TYPE_CHECKING, Any, NamedTuple

from sandboxd.engine import failures
from sandboxd.engine.connection import json_object
from sandboxd.errors import EnvironmentFailure

if TYPE_CHECKING:
    import socket
    from collections.abc import Callable, Mapping

    from sandboxd.engine.connection import Connection

SILENCE_SECONDS = 300.0
"""How long an engine may say nothing while it gets an image."""

_MOST_WORDS = 300


class Done(NamedTuple):
    """How far an engine is, in bytes; `total` grows while it learns of further layers."""

    loaded: int
    total: int


def pull(
    engine: Connection,
    image: str,
    environ: Mapping[str, str],
    tell: Callable[[Done], None],
    waits_on: Callable[[socket.socket], None] = lambda _: None,
) -> None:
    """Get an image from the registry that its name leads to, with the user's login for that registry, if there is one.

    :param environ: the user's variables, for the programs that keep logins (``docker-credential-...``)
    :param tell: called as it proceeds; ends it by raising
    :param waits_on: called with the connection that the answer is read from
    :raises EnvironmentFailure: the registry does not give it, or the login cannot be read
    """
    from docker.utils import parse_repository_tag

    repository, tag = parse_repository_tag(image)
    headers = _login(engine, image, repository, environ)
    try:
        with engine.asking(SILENCE_SECONDS) as session:
            from sandboxd.engine.streams import Stream

            # Not the SDK's `pull`, which has no time limit and reads the logins by the variables of this process.
            url = session._url("/images/create")
            params = {"fromImage": repository, "tag": tag or "latest"}
            response = session._post(url, params=params, headers=headers, stream=True)
            with contextlib.closing(Stream(response)) as answer:
                if (connection := getattr(response.raw._connection, "sock", None)) is not None:
                    waits_on(connection)
                session._raise_for_status(response)
                layers: dict[str, Done] = {}
                for line in answer.lines():
                    _follow(json_object(json.loads(line)), layers, image)
                    loaded = sum(each.loaded for each in layers.values())
                    tell(Done(loaded, sum(each.total for each in layers.values())))
    except failures.EngineFailure as failure:
        if not failure.case.isdigit():
            raise
        raise _refused(image, failure.detail or f"HTTP {failure.case}") from None


def _follow(event: Mapping[str, Any], layers: dict[str, Done], image: str) -> None:
    """Note what one line of the engine says of a layer.

    :raises EngineFailure: it says that the image cannot be had
    """
    if event.get("error"):
        raise _refused(image, str(event["error"]))
    progress = event.get("progressDetail")
    # It tells of a layer twice: while it loads it, and again while it unpacks it.
    if event.get("status") == "Downloading" and isinstance(progress, dict):
        loaded, total = progress.get("current"), progress.get("total")
        if isinstance(loaded, int) and isinstance(total, int):
            layers[str(event.get("id"))] = Done(loaded, total)


def _refused(image: str, words: str) -> failures.EngineFailure:
    return failures.EngineFailure(
        f"the engine did not get the image `{image}`: {' '.join(words.split())[:_MOST_WORDS]}",
        "check its name; a registry that wants a login: `docker login REGISTRY`",
    )


def _login(
    engine: Connection, image: str, repository: str, environ: Mapping[str, str]
) -> dict[str, str]:
    """The header with the user's login for the registry of this repository; {} where there is none."""
    from docker import auth
    from docker.errors import DockerException

    try:
        registry, _ = auth.resolve_repository_name(repository)
        if not engine.identity.config:
            return {}
        path = os.path.join(engine.identity.config, "config.json")
        logins = auth.load_config(config_path=path, credstore_env=dict(environ))
        login = logins.resolve_authconfig(registry)
    except DockerException as error:
        raise EnvironmentFailure(
            f"the image `{image}` cannot be asked for: {' '.join(str(error).split())[:_MOST_WORDS]}",
            "check its name, and your login to its registry (`docker login`)",
        ) from None
    return {"X-Registry-Auth": auth.encode_header(login).decode()} if login else {}
