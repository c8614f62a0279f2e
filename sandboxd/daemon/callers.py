"""What is known of the client of a request: the engine that it means, its working directory, its environment."""

from __future__ import annotations

import os
from collections.abc import Mapping
from typing import Any, NamedTuple

from sandboxd.daemon.hosts import Hosts
from sandboxd.daemon.projects import EngineKey
from sandboxd.ipc import messages, parameters
from sandboxd.ipc.parameters import InvalidParams
from sandboxd.ipc.server import Connection, Refused
from sandboxd.status.combine import Examined


class Caller(NamedTuple):
    """The facts about a client that an answer depends on."""

    engine: EngineKey
    """The engine that it means."""
    here: str
    """The path of the project that its working directory is in; '' outside of every project."""
    visited: Examined | None = None
    """The examined project at `here` if it is not a registered one; else None."""


def engine_of(connection: Connection, hosts: Hosts) -> EngineKey:
    """The engine that a client means."""
    assert connection.hello is not None, "served before the greeting"
    return hosts.key(connection.hello["engine"])


def directory_of(connection: Connection) -> str:
    """A client's working directory."""
    assert connection.hello is not None, "served before the greeting"
    return connection.hello["cwd"]


def read_view(params: Mapping[str, Any]) -> messages.View:
    """The client's view of its folders and environment, from the request's `params`.

    :raises InvalidParams: they do not have the expected form
    """
    view = parameters.values(params, "view")
    directory = parameters.text(view, "directory")
    if not directory.startswith("/") or "\0" in directory:
        raise InvalidParams("`directory` is not an absolute path")
    device, inode = view.get("device"), view.get("inode")
    if not isinstance(device, int) or not isinstance(inode, int):
        raise InvalidParams("`device` or `inode` is not a number")
    return {
        "directory": directory,
        "device": device,
        "inode": inode,
        "folders": parameters.variables(view, "folders"),
    }


def compare(view: messages.View, environ: Mapping[str, str]) -> None:
    """Check that the client sees the same files as the daemon: it may run in a container or with another environment.

    :raises Refused: its working directory is another folder here, or its HOME or XDG variables differ from the
        daemon's
    """
    try:
        here = os.stat(view["directory"])
    except OSError:
        here = None
    if here is None or (here.st_dev, here.st_ino) != (view["device"], view["inode"]):
        raise Refused(messages.NOT_HERE, "the daemon sees another folder at that path")
    folders = {name: environ[name] for name in messages.FOLDER_VARIABLES if name in environ}
    if folders != view["folders"]:
        raise Refused(messages.NOT_HERE, "the daemon keeps the user's state in other folders")
