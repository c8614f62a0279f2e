"""The credentials of one sandbox: which services, at which ports of its gateway, and what tools inside get. Pure."""

from __future__ import annotations

import hashlib
from typing import TYPE_CHECKING, NamedTuple

from sandboxd.credentials import service
from sandboxd.credentials.name import Name
from sandboxd.credentials.service import Endpoint, Service
from sandboxd.egress.broker import url
from sandboxd.egress.layout import GATEWAY_NAME
from sandboxd.egress.placeholder import PREFIX

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable

FIRST_PORT = 3200
"""The first port of the gateway for services; its own ports are below."""

_COUNT = "GIT_CONFIG_COUNT"


class Door(NamedTuple):
    """A port of the gateway at which requests to one endpoint get the secret."""

    label: str
    """The endpoint's name in logs: that of the service, as ``npm``; for a service with several endpoints
    ``github-api``."""
    endpoint: Endpoint
    port: int


class Use(NamedTuple):
    """A credential that a sandbox uses."""

    name: Name
    is_required: bool
    """Whether the sandbox does not start without its secret."""
    doors: tuple[Door, ...]

    @property
    def service(self) -> Service:
        """The description of its service."""
        return service.load(self.name.service)

    def rights(self) -> str:
        """The hosts, methods and paths that get the secret, for a person."""
        if self.service.uses_agent:
            return "logins by the keys and to the hosts that `sandboxd credentials list` shows"
        parts = []
        for door in self.doors:
            methods = ", ".join(door.endpoint.methods) or "every method"
            parts.append(f"{door.endpoint.host} ({methods}; {', '.join(door.endpoint.paths)})")
        return "; ".join(parts)


def assign(
    names: Iterable[Name], required: Collection[Name], reserved: Collection[int] = ()
) -> tuple[Use, ...]:
    """The uses of `names`, in the order of their names, with a port of the gateway for each endpoint.

    :param required: those without which the sandbox does not start
    :param reserved: ports that the gateway needs for something else
    """
    port = FIRST_PORT
    uses = []
    for name in sorted(set(names)):
        doors = []
        endpoints = service.load(name.service).endpoints
        for endpoint in endpoints:
            while port in reserved:
                port += 1
            label = name.service if len(endpoints) == 1 else f"{name.service}-{endpoint.name}"
            doors.append(Door(label, endpoint, port))
            port += 1
        uses.append(Use(name, name in required, tuple(doors)))
    return tuple(uses)


def decoy(workspace: str, name: Name) -> str:
    """The placeholder that programs inside have in place of the secret: worthless, and different for each project."""
    number = hashlib.sha256(f"{name}\0{workspace}".encode(errors="surrogateescape")).hexdigest()
    return PREFIX + number[:20]


def environment(uses: Iterable[Use], workspace: str, present: Iterable[str] = ()) -> list[str]:
    """Variables, `NAME=VALUE`, that direct tools inside to the gateway.

    :param present: the other variables of the container, in the same form. They are not changed, except for
        `GIT_CONFIG_COUNT`, whose settings are kept: the new count includes them
    """
    values = dict(text.partition("=")[::2] for text in present)
    lines: dict[str, str] = {}
    settings = []
    for use in uses:
        words = _words(use, workspace)
        for variable in use.service.variables:
            if variable.name not in values:
                lines[variable.name] = fill(variable.value, words)
        for rewrite in use.service.rewrites:
            key = f"url.{words[rewrite.endpoint]}/.insteadOf"
            settings += [(key, prefix) for prefix in rewrite.prefixes]
    if settings:
        lines |= _git(settings, values)
    return [f"{name}={value}" for name, value in lines.items()]


def files(uses: Iterable[Use], workspace: str) -> dict[str, str]:
    """The texts of files that tools inside read, by their path there; they contain no secret."""
    return {
        file.path: fill(file.text, _words(use, workspace))
        for use in uses
        for file in use.service.files
    }


def places(uses: Iterable[Use], workspace: str) -> dict[str, str]:
    """The values of placeholders such as `SERVICE.WORD` in texts for the inside: addresses of the gateway, and
    decoys.
    """
    return {
        f"{use.name.service}.{word}": value
        for use in uses
        for word, value in _words(use, workspace).items()
    }


def fill(text: str, words: dict[str, str]) -> str:
    """`text` with each `{WORD}` replaced.

    :raises KeyError: `words` has no such word
    """
    parts = text.split("{")
    filled = parts[0]
    for part in parts[1:]:
        word, _, rest = part.partition("}")
        filled += words[word] + rest
    return filled


def _words(use: Use, workspace: str) -> dict[str, str]:
    words = {"gateway": GATEWAY_NAME, "decoy": decoy(workspace, use.name)}
    for door in use.doors:
        words[door.endpoint.name] = url(door.port)
        words[f"{door.endpoint.name}:address"] = f"{GATEWAY_NAME}:{door.port}"
    return words


def _git(settings: list[tuple[str, str]], values: dict[str, str]) -> dict[str, str]:
    """Git's settings by variables, behind those that are there already."""
    count = values.get(_COUNT, "0")
    first = int(count) if count.isdecimal() else 0
    lines = {_COUNT: str(first + len(settings))}
    for number, (key, value) in enumerate(settings, first):
        lines[f"GIT_CONFIG_KEY_{number}"] = key
        lines[f"GIT_CONFIG_VALUE_{number}"] = value
    return lines
