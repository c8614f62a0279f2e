"""The changes that make two sides equal, in an order in which they can be done."""

from __future__ import annotations

import enum
from collections.abc import Iterable, Mapping
from typing import NamedTuple

from sandboxd.sync.state import Content, Entry, Kind, is_within, order


class Act(enum.Enum):
    """What is done at a path."""

    CREATE = "create"
    REPLACE = "replace"
    REMOVE = "remove"
    MODE = "mode"
    ASIDE = "put aside"


class Side(enum.Enum):
    """The side whose files are changed."""

    HOST = "host"
    INSIDE = "inside"


class Step(NamedTuple):
    """One change on one side.

    :ivar before: what was at `path` when it was compared; if something else is there now, nothing is done
    :ivar after: what is there afterwards, None for nothing; for REMOVE, what another step creates in its place
    :ivar name: for ASIDE, the new name of the entry, without its folder
    """

    act: Act
    path: str
    before: Entry | None = None
    after: Content | None = None
    name: str = ""


def steps_of(
    entries: Mapping[str, Entry], wanted: Mapping[str, Content | None], asides: Iterable[Step] = ()
) -> tuple[Step, ...]:
    """The steps, in order, that turn `entries` into what is `wanted`; paths that are not in `wanted` stay.

    New content is created before the path from which it may have been renamed is removed; links are created last.
    """
    renamed = list(asides)
    gone = {step.path for step in renamed}
    removals: list[Step] = []
    makings: list[Step] = []
    for path in sorted(wanted, key=order):
        before = None if is_within(path, gone) else entries.get(path)
        _between(path, before, wanted[path], removals, makings)
    makings.sort(key=_rank)
    created = {step.path for step in makings}
    # What is in the way of something else goes before that is made, each entry before the folder that it is in.
    first = [step for step in reversed(removals) if is_within(step.path, created)]
    last = [step for step in reversed(removals) if not is_within(step.path, created)]
    return (*renamed, *first, *makings, *last)


def _between(
    path: str,
    before: Entry | None,
    after: Content | None,
    removals: list[Step],
    makings: list[Step],
) -> None:
    if before is None:
        if after is not None:
            makings.append(Step(Act.CREATE, path, None, after))
    elif after is None:
        removals.append(Step(Act.REMOVE, path, before))
    elif before.content != after:
        if Kind.FOLDER in (before.content.kind, after.kind):
            removals.append(Step(Act.REMOVE, path, before, after))
            makings.append(Step(Act.CREATE, path, None, after))
        else:
            is_same_text = before.content._replace(executable=after.executable) == after
            act = Act.MODE if is_same_text else Act.REPLACE
            makings.append(Step(act, path, before, after))


def _rank(step: Step) -> int:
    """Folders are made first and links last; each in the order of their paths."""
    kind = step.after.kind if step.after is not None else Kind.FILE
    return (Kind.FOLDER, Kind.FILE, Kind.LINK).index(kind)
