"""The client that asks: the engine that it means, and the project that it stands in."""

from __future__ import annotations

from typing import NamedTuple

from sandboxd.daemon.hosts import Hosts
from sandboxd.daemon.projects import EngineKey
from sandboxd.ipc.server import Connection
from sandboxd.status.combine import Examined


class Caller(NamedTuple):
    """A client, as far as an answer depends on it."""

    engine: EngineKey
    """The engine that it means."""
    here: str
    """The project that its working directory is in, '' outside of every project."""
    visited: Examined | None = None
    """The project at `here`, examined, when it is not one that we keep."""


def engine_of(connection: Connection, hosts: Hosts) -> EngineKey:
    """The engine that a client means."""
    assert connection.hello is not None, "served before the greeting"
    return hosts.key(connection.hello["engine"])


def directory_of(connection: Connection) -> str:
    """A client's working directory."""
    assert connection.hello is not None, "served before the greeting"
    return connection.hello["cwd"]
