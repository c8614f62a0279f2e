"""The DNS names of a Compose project's services: their own, and those that its files add. Pure."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING, NamedTuple

from sandboxd.egress.names import NotAName, normal
from sandboxd.syntax import yaml

if TYPE_CHECKING:
    from collections.abc import Iterator

    from sandboxd.formats.compose.project import Part
    from sandboxd.formats.compose.project import Service as Written
    from sandboxd.plan.service import Service

MOST = 512
"""The most services whose names a gateway knows: each name has an address reserved."""

_MOST_ALIASES = 2048


class Called(NamedTuple):
    """The names of a service besides its key in the Compose file; `without` are sentences about names that have no
    effect.
    """

    hostname: str = ""
    """Its own hostname; '' if the file sets none."""
    names: tuple[str, ...] = ()
    without: tuple[str, ...] = ()


def called(written: Written) -> Called:
    """The names in `container_name`, `hostname` and the aliases of its networks, as DNS names."""
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
    """(name, name of the service that it resolves to), for all names; the services' own names come first, in the order
    of their addresses.

    A name that two services have resolves to the first; a service's own name always resolves to itself.

    :param workspace: the workspace as a service, if it has an address of its own; else None
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
    """Yield a sentence for each name of `service` that does not resolve to it.

    :param table: as the function `table` returned it
    """
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
