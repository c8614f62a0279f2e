"""Features that need what a sandbox must not give, read from `profiles/features/*.toml`: adding one is adding a file.

A fork of one under another owner's name does the same, so the last part of a Feature's name counts.
"""

from __future__ import annotations

import functools
from typing import TYPE_CHECKING, Any, NamedTuple

from sandboxd import data
from sandboxd.model import feature
from sandboxd.model.container import unread_features
from sandboxd.model.values import Value
from sandboxd.plan.plan import Downgrade

if TYPE_CHECKING:
    from collections.abc import Iterator

    from sandboxd.model.container import Container, Unseen


class Skipped(NamedTuple):
    """The Features that the project's sandboxd.toml leaves out, as it names them; ``*`` stands for all."""

    names: frozenset[str] = frozenset()

    def has(self, name: str) -> bool:
        """Whether the Feature that a key of `features` names is left out: by that name, or by it without its version."""
        if not self.names:
            return False
        return not self.names.isdisjoint({"*", name, feature.parse(name).id})


NONE_SKIPPED = Skipped()


class Refused(NamedTuple):
    """The reason why a Feature is left out, and what replaces it in a sandbox; both in words without a full stop."""

    why: str
    instead: str
    source: str
    """The page that was read."""


_SKIPPED = Refused("sandboxd.toml has it in `skip_features`", "", "")


def refused(name: str, skipped: Skipped = NONE_SKIPPED) -> Refused | None:
    """The reason why the Feature that a key of `features` names is left out; None for one that is installed."""
    if skipped.has(name):
        return _SKIPPED
    identifier = feature.parse(name).id
    last = identifier.rstrip("/").rpartition("/")[2].removesuffix(".tgz")
    return _table().get(last.removeprefix("devcontainer-feature-"))


def without(container: Container, skipped: Skipped = NONE_SKIPPED) -> Container:
    """`container` without the Features that are left out, and everything that they add."""
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

    One that the project's own config skips is none: that was asked for.
    """
    uses = container.features if container is not None else ()
    return tuple(
        Downgrade("features", f"`{use.written}` is left out: {entry.why}", entry.instead)
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
