"""A group of hosts, read from its TOML file (`groups`)."""

from __future__ import annotations

import functools
from typing import Any, NamedTuple

from sandboxd.egress import groups
from sandboxd.egress.names import Pattern, pattern
from sandboxd.egress.policy import Rule

_KEYS = frozenset({"purpose", "ports", "admits", "host"})
_HOST_KEYS = frozenset({"name", "why", "source"})


class Host(NamedTuple):
    """One host of a group: its purpose (`why`), and the URL of its owner's page that names it (`source`)."""

    pattern: Pattern
    ports: tuple[int, ...]
    why: str
    source: str
    needs_sni: bool
    """Whether it shares addresses with hosts of others, so that TLS connections have to name it (SNI)."""


class UsedBy(NamedTuple):
    """The signs by which a project is known to use a group.

    Without any the group applies only if sandboxd.toml names it.
    """

    files: tuple[str, ...] = ()
    """Patterns for names of files at the project's top or one level below; with a slash, for paths."""
    images: tuple[str, ...] = ()
    """Words in the names and tags of the images that it starts from."""
    remotes: tuple[str, ...] = ()
    """Hosts of its Git remotes."""


class Group(NamedTuple):
    """Hosts that one tool or service needs.

    `purpose` and `admits` are for a person: what it is for, and what else programs inside can do there.
    """

    name: str
    purpose: str
    admits: str
    hosts: tuple[Host, ...]
    used_by: UsedBy = UsedBy()

    def rules(self) -> tuple[Rule, ...]:
        """The policy rules of the group."""
        return tuple(
            Rule(host.pattern, host.ports, source=f"group {self.name}", needs_sni=host.needs_sni)
            for host in self.hosts
        )


@functools.cache
def load(name: str) -> Group:
    """The group `name`.

    :raises KeyError: there is none
    """
    if name not in groups.names():
        raise KeyError(name)
    import tomllib

    with open(groups.path(name), "rb") as file:
        return _group(name, tomllib.load(file))


def _group(name: str, data: dict[str, Any]) -> Group:
    if data.keys() - {"used_by"} != _KEYS:
        raise ValueError(f"group {name}: it must have {sorted(_KEYS)} and nothing else")
    ports = tuple(data["ports"])
    hosts = tuple(_host(name, entry, ports) for entry in data["host"])
    used_by = UsedBy(**{key: tuple(words) for key, words in data.get("used_by", {}).items()})
    return Group(name, data["purpose"], data["admits"], hosts, used_by)


def _host(name: str, data: dict[str, Any], ports: tuple[int, ...]) -> Host:
    wrong = data.keys() - _HOST_KEYS - {"ports", "needs_sni"}
    if wrong or not data.keys() >= _HOST_KEYS:
        raise ValueError(f"group {name}: a host must have {sorted(_HOST_KEYS)}")
    return Host(
        pattern(data["name"]),
        tuple(data.get("ports", ports)),
        data["why"],
        data["source"],
        data.get("needs_sni", False),
    )
