"""The other containers of a workspace than the one that is shown: which of them are halted, or lost a mount."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from sandboxd.model.labels import EDITOR, UP
from sandboxd.model.sandbox_id import name_of, name_option, workspace_of
from sandboxd.observe import pins
from sandboxd.observe.pin import anew, lost
from sandboxd.status import halts

if TYPE_CHECKING:
    from sandboxd.observe.pin import Pin
    from sandboxd.status.observe import Observed, Sandbox


def pins_now(live: Sandbox | None) -> tuple[Pin, ...]:
    """The present state of a container's pins; () for None."""
    return pins.look(live.pinned) if live is not None and live.pinned is not None else ()


class _Beside(NamedTuple):
    """Another container on a workspace than the one that is shown, as people call it."""

    name: str
    """Of its sandbox; of the container where that is a second one of the same sandbox."""
    identity: str
    live: Sandbox


def _others(path: str, observed: Observed) -> tuple[_Beside, ...]:
    """The other containers on the workspace `path`: of named sandboxes, and second ones of the same sandbox."""
    named = [
        _Beside(name_of(identity), identity, live)
        for identity, live in sorted(observed.containers.items())
        if workspace_of(identity) == path and name_of(identity)
    ]
    second = [
        _Beside(live.name or live.id[:12], identity, live)
        for identity, live in observed.beside
        if workspace_of(identity) == path
    ]
    return (*named, *second)


def lost_now(path: str, observed: Observed) -> tuple[tuple[str, tuple[Pin, ...]], ...]:
    """The lost pins of the other containers of a workspace: (name for the user, pins) for each that lost any.

    :param path: the workspace's real path
    """
    of_names = ((each.name, lost(pins_now(each.live))) for each in _others(path, observed))
    return tuple((name, gone) for name, gone in of_names if gone)


def halted_now(path: str, observed: Observed) -> tuple[tuple[str, str], ...]:
    """The other containers of a workspace that are halted: (name for the user, reason).

    :param path: the workspace's real path
    """
    of_names = (
        (each.name, halts.halted_now(each.identity, each.live)) for each in _others(path, observed)
    )
    return tuple((name, halt.why) for name, halt in of_names if halt is not None)


def next_step(path: str, observed: Observed) -> str:
    """The next step for the first of the other containers that is halted, otherwise for one that lost pins; '' for
    none.

    :param path: the workspace's real path
    """
    others = _others(path, observed)
    for each in others:
        if halt := halts.halted_now(each.identity, each.live):
            return halt.hint
    for each in others:
        if lost(pins_now(each.live)):
            made_by = EDITOR if each.live.is_editors else UP
            return anew(made_by, name_option(each.identity))
    return ""
