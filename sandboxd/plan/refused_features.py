"""Features that need something a sandbox must not give, read from `profiles/features/*.toml`: to add one, add a file.

Forks under other owners' names do the same, so only the last part of a Feature's name is compared.
"""

from __future__ import annotations

import functools
from typing import TYPE_CHECKING, Any, NamedTuple

from sandboxd import data
from sandboxd.model import feature
from sandboxd.model.container import unread_features
from sandboxd.model.control_name import ControlName
from sandboxd.model.values import Value
from sandboxd.plan.reasons import Downgrade

if TYPE_CHECKING:
    from collections.abc import Iterator

    from sandboxd.model.container import Container, Unseen


class Skipped(NamedTuple):
    """The Features that the project's sandboxd.toml leaves out (`skip_features`), as written there; ``*`` means all."""

    names: frozenset[str] = frozenset()

    def has(self, name: str) -> bool:
        """Whether the Feature that the key `name` of `features` names is left out: by that text, or by it without the
        version.
        """
        if not self.names:
            return False
        return not self.names.isdisjoint({"*", name, feature.parse(name).id})


NONE_SKIPPED = Skipped()


class Refused(NamedTuple):
    """The reason why a Feature is left out, and what replaces it in a sandbox; phrases without a full stop."""

    why: str
    instead: str
    source: str
    """The URL of the page that describes what the Feature needs."""


_SKIPPED = Refused("sandboxd.toml has it in `skip_features`", "", "")


def refused(name: str, skipped: Skipped = NONE_SKIPPED) -> Refused | None:
    """The reason why the Feature that the key `name` of `features` names is left out; None if it is installed."""
    if skipped.has(name):
        return _SKIPPED
    identifier = feature.parse(name).id
    last = identifier.rstrip("/").rpartition("/")[2].removesuffix(".tgz")
    return _table().get(last.removeprefix("devcontainer-feature-"))


def without(container: Container, skipped: Skipped = NONE_SKIPPED) -> Container:
    """`container` without the Features that are left out, and without everything that they add."""
    if not any(refused(use.written, skipped) for use in container.features):
        return container
    fields: dict[str, Any] = {
        name: _without(value, skipped) for name, value in container._asdict().items()
    }
    fields["unseen"] = tuple(_left_unseen(container.unseen, skipped))
    return container._replace(**fields)


def downgrades(
    container: Container | None, skipped: Skipped = NONE_SKIPPED
) -> tuple[Downgrade, ...]:
    """A downgrade for each refused Feature of `container`, with the reason and the alternative.

    A Feature that the project's own sandboxd.toml skips causes none, as that was asked for.
    """
    uses = container.features if container is not None else ()
    return tuple(
        Downgrade(ControlName.FEATURES, f"`{use.written}` is left out: {entry.why}", entry.instead)
        for use in uses
        if not skipped.has(use.written) and (entry := refused(use.written)) is not None
    )


def _left_unseen(unseen: tuple[Unseen, ...], skipped: Skipped) -> Iterator[Unseen]:
    for each in unseen:
        left = tuple(name for name in each.names if refused(name, skipped) is None)
        if left == each.names:
            yield each
        elif left:
            yield unread_features(left)


def _without(value: object, skipped: Skipped) -> object:
    if isinstance(value, Value):
        return None if _is_refused(value, skipped) else value
    if type(value) is tuple:
        return tuple(
            item for item in value if not (isinstance(item, Value) and _is_refused(item, skipped))
        )
    return value


def _is_refused(value: Value[object], skipped: Skipped) -> bool:
    if isinstance(value.value, feature.Feature):
        return refused(value.written, skipped) is not None
    return value.origin.kind == "feature" and refused(value.origin.name, skipped) is not None


@functools.cache
def _table() -> dict[str, Refused]:
    table: dict[str, Refused] = {}
    for entry in data.tables("profiles", "features"):
        entries = Refused(entry["why"], entry["instead"], entry["source"])
        table.update(dict.fromkeys(entry["names"], entries))
    return table
