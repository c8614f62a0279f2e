"""The other containers of a workspace than the one that is shown: which of them are halted, or lost a mount."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from sandboxd.model.labels import EDITOR, UP
from sandboxd.model.sandbox_id import name_of, name_option, workspace_of
from sandboxd.observe import pins
from sandboxd.observe.pin import anew, lost
from sandboxd.status import halts

if TYPE_CHECKING:
    from collections.abc import Iterable

    from sandboxd.observe.pin import Pin
    from sandboxd.status.observe import Observed, Sandbox


def pins_now(live: Sandbox | None) -> tuple[Pin, ...]:
    """The present state of a container's pins; () for None."""
    return pins.look(live.pinned) if live is not None and live.pinned is not None else ()


class Beside(NamedTuple):
    """Another container on a workspace than the one that is shown, as it is at this moment."""

    name: str
    """The name of its sandbox, or of the container if it is a second one of the same sandbox."""
    step: str
    """The command that ends its halt, or restores lost mounts; '' if nothing is wrong."""
    lost: tuple[Pin, ...] = ()
    halted: str = ""
    """Why it is halted, for a person; '' where it is not."""


def look(path: str, observed: Observed) -> tuple[Beside, ...]:
    """The other containers of a workspace: of named sandboxes, and second ones of the same sandbox.

    :param path: the workspace's real path
    """
    named = [
        (name_of(identity), identity, live)
        for identity, live in sorted(observed.containers.items())
        if workspace_of(identity) == path and name_of(identity)
    ]
    second = [
        (live.name or live.id[:12], identity, live)
        for identity, live in observed.beside
        if workspace_of(identity) == path
    ]
    return tuple(_look_at(*each) for each in (*named, *second))


def next_step(others: Iterable[Beside]) -> str:
    """The next step for the first of `others` that is halted, otherwise for one that lost pins; '' for none."""
    in_order = sorted(others, key=lambda each: not each.halted)
    return next((each.step for each in in_order if each.step), "")


def _look_at(name: str, identity: str, live: Sandbox) -> Beside:
    gone, halt = lost(pins_now(live)), halts.halted_now(identity, live)
    if halt is not None:
        return Beside(name, halt.hint, gone, halt.why)
    made_by = EDITOR if live.is_editors else UP
    return Beside(name, anew(made_by, name_option(identity)) if gone else "", gone)
