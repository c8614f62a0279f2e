"""A service of a Compose project besides the workspace, as `sandboxd up` starts it. Pure."""

from __future__ import annotations

from typing import Literal, NamedTuple

from sandboxd.model.container import Container

Condition = Literal["started", "healthy", "completed"]
"""The state that another service must have reached: started, its health check passes, or ended with exit code 0.
"""


class Need(NamedTuple):
    """One entry of `depends_on`; `service` is the name in the Compose file."""

    service: str
    condition: Condition = "started"
    is_required: bool = True
    """Whether the dependent service must not start without it."""


class Health(NamedTuple):
    """A health check as in the engine's API. Times are in seconds; 0 means the image's or the engine's value."""

    test: tuple[str, ...] = ()
    """``NONE``, or ``CMD`` or ``CMD-SHELL`` followed by the command; () for the image's own check."""
    interval: float = 0
    timeout: float = 0
    retries: int = 0
    start_period: float = 0
    start_interval: float = 0


class ProjectFile(NamedTuple):
    """A file or folder of the project that is copied for the service."""

    path: str
    """The path within the workspace."""
    target: str
    """The path inside the service."""


class Service(NamedTuple):
    """A service as its project describes it; `command` and `entrypoint` are None for the image's own."""

    name: str
    """Its name in the Compose file, as a DNS name; '' if it cannot be one."""
    container: Container
    hostname: str = ""
    """Its own hostname; '' for `name`."""
    aliases: tuple[str, ...] = ()
    """Other DNS names under which the project's programs may look it up."""
    command: tuple[str, ...] | None = None
    entrypoint: tuple[str, ...] | None = None
    obstacle: str = ""
    """The reason why it cannot be started here, as a predicate to put behind its name; '' if it can."""
    without: tuple[str, ...] = ()
    """Sentences about settings of it that have no effect here."""
    env: tuple[str, ...] = ()
    """NAME=VALUE each; a value may be a secret."""
    needs: tuple[Need, ...] = ()
    health: Health | None = None
    """The health check; None for the image's own."""
    files: tuple[ProjectFile, ...] = ()
    shares: bool = False
    """Whether it shares the network of the workspace, so that each reaches the other as `localhost`."""
    capabilities: tuple[str, ...] = ()
    """The Linux capabilities that it keeps."""
