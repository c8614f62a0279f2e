"""When nothing is done at all: a side is not the folder that it was, or too much would be removed at once."""

from __future__ import annotations

import enum
from collections.abc import Callable, Collection, Container, Mapping
from typing import NamedTuple

from sandboxd.sync.state import Agreed, Content, Kind, Root, Snapshot
from sandboxd.sync.steps import Act, Side, Step

MOST_REMOVALS = 100
_LARGEST_SHARE = 5
"""More than one of so many files may not be removed without asking."""
_FEW = 10
"""So many files may be removed without asking, since in a small project a few files are a large share."""


class Reason(enum.Enum):
    """Why nothing is done. For REMOVALS and EMPTIED the user is asked; for the others the user has to act."""

    MISSING = "its folder is gone"
    REPLACED = "its folder is another one than before"
    EMPTIED = "all of its files are gone"
    TOO_LARGE = "it has more entries than are kept the same"
    REMOVALS = "many files would be removed on the host"


class Stop(NamedTuple):
    """Nothing is done, for `reason`. `files` are the paths that would be removed; empty if that is not the reason.

    `earlier` is the number of files that were removed a few at a time before, and that count with them.
    """

    reason: Reason
    side: Side
    files: frozenset[str] = frozenset()
    earlier: int = 0


Removed = Mapping[str, str]
"""Files that were removed or overwritten on the host, with what they had: the SHA-256 in hexadecimal."""


def _nothing() -> Removed:
    return {}


class Roots(NamedTuple):
    """The two folders for which the common state holds."""

    host: Root
    inside: Root


def stop_before(
    host: Snapshot, inside: Snapshot, agreed: Agreed, roots: Roots | None, allowed: Container[str]
) -> Stop | None:
    """The reason not to compare two states at all; None if there is none.

    :param allowed: paths that may be removed, because the user agreed
    """
    sides = ((Side.HOST, host, inside), (Side.INSIDE, inside, host))
    for side, snapshot, _ in sides:
        if roots is not None and snapshot.root != (
            roots.host if side is Side.HOST else roots.inside
        ):
            return Stop(Reason.REPLACED, side)
        if not snapshot.is_whole:
            return Stop(Reason.TOO_LARGE, side)
    if not all(path in allowed for path in agreed):
        for side, snapshot, other in sides:
            if not snapshot.entries and other.entries and agreed:
                return Stop(Reason.EMPTIED, side, frozenset(agreed))
    return None


def stop_after(
    steps: Collection[Step],
    remaining: Callable[[], Mapping[str, Content]],
    agreed: Agreed,
    allowed: Container[str],
    earlier: Callable[[], Removed] = _nothing,
) -> Stop | None:
    """The reason not to do the `steps` on the host; None if there is none. Files that are only renamed do not count.

    :param remaining: returns what the host would have afterwards
    :param earlier: returns what was removed or overwritten before and counts with them where it is still gone
    """
    removed = {
        step.path: step.before.content.text
        for step in steps
        if step.act is Act.REMOVE and step.before is not None and not step.before.is_folder
    }
    if not removed:
        return None
    left = remaining()
    texts = {content.text for content in left.values()}
    gone = frozenset(path for path, text in removed.items() if text not in texts)
    # What was answered counts for these files, and not for as many others.
    if not gone or all(path in allowed for path in gone):
        return None
    before = sum(
        path not in left and path not in removed and text not in texts
        for path, text in earlier().items()
    )
    total = sum(content.kind is not Kind.FOLDER for content in agreed.values())
    if _is_much(len(gone), total):
        return Stop(Reason.REMOVALS, Side.HOST, gone)
    if _is_much(len(gone) + before, total + before):
        return Stop(Reason.REMOVALS, Side.HOST, gone, before)
    return None


def _is_much(count: int, total: int) -> bool:
    return count > MOST_REMOVALS or (count > _FEW and count * _LARGEST_SHARE > total)
