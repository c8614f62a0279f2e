"""The hosts that the gateway asks with a credential, though no rule may let a program reach them itself."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from sandboxd.config.model import Config
    from sandboxd.egress.policy import Policy


class Host(NamedTuple):
    """A host and port with the credential that requests to it carry, and the requests that are let through."""

    name: str
    port: int
    credential: str
    """Its name, as in sandboxd.toml: ``github:work``."""
    requests: str
    """Methods and paths, in words."""


def hosts(config: Config, policy: Policy) -> tuple[Host, ...]:
    """The hosts of the credentials of `config` that `policy` lets be used."""
    if not policy.credentials:
        return ()
    from sandboxd.credentials import uses

    in_force = {label for label, _ in policy.credentials}
    return tuple(
        Host(
            door.endpoint.host,
            door.endpoint.port,
            str(use.name),
            f"{', '.join(door.endpoint.methods) or 'every method'}; {', '.join(door.endpoint.paths)}",
        )
        for use in uses.assign(config.credentials.names(), ())
        for door in use.doors
        if door.label in in_force
    )


def find(config: Config, policy: Policy, text: str, port: int) -> Host | None:
    """The host called `text` that a credential is for at `port`; None without one."""
    from sandboxd.egress.names import NotAName, normal

    try:
        name = normal(text)
    except NotAName:
        return None
    return next((each for each in hosts(config, policy) if each[:2] == (name, port)), None)
