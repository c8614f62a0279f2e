"""A service of a Compose project beside the workspace, as `sandboxd up` starts it. Pure."""

from __future__ import annotations

from typing import Literal, NamedTuple

from sandboxd.model.container import Container

Condition = Literal["started", "healthy", "completed"]
"""The condition that another service has to meet first: it runs, its health check passes, or it ended with 0."""


class Need(NamedTuple):
    """One entry of `depends_on`, with the service's name in its Compose file."""

    service: str
    condition: Condition = "started"
    is_required: bool = True
    """Whether nothing starts without it."""


class Health(NamedTuple):
    """A health check as the engine's API has it; times in seconds, 0 for the image's or the engine's value."""

    test: tuple[str, ...] = ()
    """``NONE``, or ``CMD`` or ``CMD-SHELL`` and its words; () where the image's counts."""
    interval: float = 0
    timeout: float = 0
    retries: int = 0
    start_period: float = 0
    start_interval: float = 0


class ProjectFile(NamedTuple):
    """A file or folder of the project that is copied for the service."""

    path: str
    """Within the workspace."""
    target: str
    """Inside the service."""


class Service(NamedTuple):
    """A service as its project writes it; `command` and `entrypoint` are None for the image's own."""

    name: str
    """As a name for DNS, '' where it is none."""
    container: Container
    hostname: str = ""
    """Its own name inside, '' for `name`."""
    aliases: tuple[str, ...] = ()
    """The other names in DNS by which its project's programs may ask for it."""
    command: tuple[str, ...] | None = None
    entrypoint: tuple[str, ...] | None = None
    obstacle: str = ""
    """The reason why it cannot be started here, in words that follow its name; '' where it can."""
    without: tuple[str, ...] = ()
    """Settings of it that have no effect here, in words."""
    env: tuple[str, ...] = ()
    """NAME=VALUE each; a value may be a secret."""
    needs: tuple[Need, ...] = ()
    health: Health | None = None
    """None where the image's counts."""
    files: tuple[ProjectFile, ...] = ()
    shares: bool = False
    """Whether it has the network of the workspace, so that each is `localhost` to the other."""
    capabilities: tuple[str, ...] = ()
    """Those that it keeps."""
