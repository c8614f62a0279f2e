"""The hosts to which the gateway sends requests with a credential, though no rule may let a program connect to them."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from sandboxd.config.model import Config
    from sandboxd.egress.policy import Policy


class Host(NamedTuple):
    """A host and port, the credential that the gateway adds to requests, and which requests it lets through."""

    name: str
    port: int
    credential: str
    """The credential's name, as in sandboxd.toml: ``github:work``."""
    requests: str
    """Methods and paths, in words."""


def hosts(config: Config, policy: Policy) -> tuple[Host, ...]:
    """The hosts of those credentials in `config` that `policy` has in use."""
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
    """The host named `text` to which a credential applies at `port`; None if there is none."""
    from sandboxd.egress.names import NotAName, normal

    try:
        name = normal(text)
    except NotAName:
        return None
    return next((each for each in hosts(config, policy) if each[:2] == (name, port)), None)
