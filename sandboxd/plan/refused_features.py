"""Features that need what a sandbox must not give, read from `profiles/features/*.toml`: adding one is adding a file.

A fork of one under another owner's name does the same, so the last part of a Feature's name counts.
"""

from __future__ import annotations

import functools
from typing import TYPE_CHECKING, Any, NamedTuple

from sandboxd import data
from sandboxd.model import feature
from sandboxd.model.values import Value
from sandboxd.plan.plan import Downgrade

if TYPE_CHECKING:
    from sandboxd.model.container import Container


class Refused(NamedTuple):
    """The reason why a Feature is left out, and what replaces it in a sandbox; both in words without a full stop."""

    why: str
    instead: str
    source: str
    """The page that was read."""


def refused(name: str) -> Refused | None:
    """The entry of the Feature that a key of `features` names; None for one that may be installed."""
    identifier = feature.parse(name).id
    last = identifier.rstrip("/").rpartition("/")[2].removesuffix(".tgz")
    return _table().get(last.removeprefix("devcontainer-feature-"))


def without(container: Container) -> Container:
    """`container` without the refused Features and everything that they add."""
    if not any(refused(use.written) for use in container.features):
        return container
    fields: dict[str, Any] = {name: _without(value) for name, value in container._asdict().items()}
    return container._replace(**fields)


def downgrades(container: Container | None) -> tuple[Downgrade, ...]:
    """A downgrade for each refused Feature of `container`, with the reason and the alternative."""
    uses = container.features if container is not None else ()
    return tuple(
        Downgrade("features", f"`{use.written}` is left out: {entry.why}", entry.instead)
        for use in uses
        if (entry := refused(use.written)) is not None
    )


def _without(value: object) -> object:
    if isinstance(value, Value):
        return None if _is_refused(value) else value
    if type(value) is tuple:
        return tuple(item for item in value if not (isinstance(item, Value) and _is_refused(item)))
    return value


def _is_refused(value: Value[object]) -> bool:
    if isinstance(value.value, feature.Feature):
        return refused(value.written) is not None
    return value.origin.kind == "feature" and refused(value.origin.name) is not None


@functools.cache
def _table() -> dict[str, Refused]:
    table: dict[str, Refused] = {}
    for entry in data.tables("profiles", "features"):
        entries = Refused(entry["why"], entry["instead"], entry["source"])
        table.update(dict.fromkeys(entry["names"], entries))
    return table
