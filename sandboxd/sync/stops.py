"""When nothing is done at all: a side is not what it was, or too much would go with one comparison."""

from __future__ import annotations

import enum
from collections.abc import Collection
from typing import NamedTuple

from sandboxd.sync.state import Agreed, Content, Kind, Root, Snapshot
from sandboxd.sync.steps import Act, Side, Step

MOST_REMOVALS = 100
_LARGEST_SHARE = 5
"""One of so many files."""
_FEW = 10
"""Every large share of a small project is few files: so many go without a question."""


class Reason(enum.Enum):
    """Why nothing is done. Of REMOVALS and EMPTIED the user is asked; the others need an act of theirs."""

    MISSING = "its folder is gone"
    REPLACED = "its folder is another one than before"
    EMPTIED = "all of its files are gone"
    TOO_LARGE = "it has more entries than are kept the same"
    REMOVALS = "many files would be removed on the host"


class Stop(NamedTuple):
    """Nothing is done. `files` is the number of files that would go, 0 where that is not the reason."""

    reason: Reason
    side: Side
    files: int = 0


class Roots(NamedTuple):
    """The folders that were compared when something was last agreed."""

    host: Root
    inside: Root


def stop_before(
    host: Snapshot, inside: Snapshot, agreed: Agreed, roots: Roots | None, removals: int
) -> Stop | None:
    """The reason, by the two states alone, not to compare them; None where there is none.

    :param removals: so many files may go, since the user was asked
    """
    sides = ((Side.HOST, host, inside), (Side.INSIDE, inside, host))
    for side, snapshot, _ in sides:
        if roots is not None and snapshot.root != (
            roots.host if side is Side.HOST else roots.inside
        ):
            return Stop(Reason.REPLACED, side)
        if not snapshot.is_whole:
            return Stop(Reason.TOO_LARGE, side)
    if len(agreed) > removals:
        for side, snapshot, other in sides:
            if not snapshot.entries and other.entries and agreed:
                return Stop(Reason.EMPTIED, side, len(agreed))
    return None


def stop_after(
    steps: Collection[Step], remaining: Collection[Content | None], agreed: Agreed, removals: int
) -> Stop | None:
    """The reason not to do the `steps` of the host; what is only renamed counts for nothing.

    :param remaining: what the host is to have then
    """
    texts = {content.text for content in remaining if content is not None}
    gone = [
        step
        for step in steps
        if step.act is Act.REMOVE
        and step.before is not None
        and not step.before.is_folder
        and step.before.content.text not in texts
    ]
    count, total = len(gone), sum(content.kind is not Kind.FOLDER for content in agreed.values())
    is_much = count > MOST_REMOVALS or (count > _FEW and count * _LARGEST_SHARE > total)
    return Stop(Reason.REMOVALS, Side.HOST, count) if is_much and count > removals else None
