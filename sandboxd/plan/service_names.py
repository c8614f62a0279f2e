"""The names in DNS of a Compose project's services: their own, and those that its files add. Pure."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING, NamedTuple

from sandboxd.egress.names import NotAName, normal
from sandboxd.syntax import yaml

if TYPE_CHECKING:
    from collections.abc import Iterator

    from sandboxd.kinds.compose.project import Part
    from sandboxd.kinds.compose.project import Service as Written
    from sandboxd.plan.service import Service

MOST = 512
"""The most services that a gateway knows by their names: so many addresses are kept for them."""

_MOST_ALIASES = 2048


class Called(NamedTuple):
    """The names of a service beside its key in the Compose file; `without` is in words."""

    hostname: str = ""
    """Its own name inside, '' where none is said."""
    names: tuple[str, ...] = ()
    without: tuple[str, ...] = ()


def called(written: Written) -> Called:
    """The names in `container_name`, `hostname` and the aliases of its networks, each in DNS spelling."""
    names, without, hostname = dict[str, None](), [], ""
    for key, text in _written(written):
        try:
            name = normal(text)
        except NotAName as error:
            without.append(f"its {key} `{text}` does not lead to it: it is {error}")
            continue
        names[name] = None
        hostname = name if key == "hostname" else hostname
    return Called(hostname, tuple(names), tuple(without))


def table(services: Iterable[Service], workspace: Service | None) -> tuple[tuple[str, str], ...]:
    """(name, service that it leads to) of all; the services' own come first, in the order of their addresses.

    A name that two services have leads to the first, and a service's own name always to itself.

    :param workspace: the service that the workspace is, where it has an address of its own
    """
    all_of_them = [*services, *([workspace] if workspace is not None else [])]
    own = dict.fromkeys(service.name for service in all_of_them if service.name)
    names = {name: name for name in list(own)[:MOST]}
    aliases = dict[str, str]()
    for service in all_of_them:
        if service.name in names:
            for alias in service.aliases:
                if alias not in names and len(aliases) < _MOST_ALIASES:
                    aliases.setdefault(alias, service.name)
    return (*names.items(), *aliases.items())


def elsewhere(service: Service, table: Iterable[tuple[str, str]]) -> Iterator[str]:
    """A sentence for each name of `service` that leads to another one."""
    owners = dict(table)
    for alias in service.aliases:
        owner = owners.get(alias)
        if owner is None:
            yield f"`{alias}` does not lead to it: a gateway knows {_MOST_ALIASES} such names"
        elif owner != service.name:
            yield f"`{alias}` does not lead to it, but to `{owner}`"


def _written(written: Written) -> Iterator[tuple[str, str]]:
    for key in ("container_name", "hostname"):
        part = written.last(key)
        if part is not None and (text := _text(part)):
            yield key, text
    for part in written.parts.get("networks", ()):
        node = yaml.target(part.node)
        for _, network in yaml.members(node) if node.kind == "object" else ():
            aliases = yaml.get(network, "aliases")
            for item in yaml.target(aliases).items if aliases is not None else ():
                if text := _text(part._replace(node=item)):
                    yield "alias", text


def _text(part: Part) -> str:
    return part.file.resolve(part.file.text(yaml.target(part.node)) or "")
