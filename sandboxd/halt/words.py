"""Halts of sandboxes in words for a person: what was replaced, what was done about it, and how to go on."""

from __future__ import annotations

import shlex
from typing import TYPE_CHECKING

from sandboxd.errors import EnvironmentFailure
from sandboxd.files import CONFIG_NAME
from sandboxd.halt.points import What
from sandboxd.halt.record import Reason
from sandboxd.halt.verdict import Action
from sandboxd.model.sandbox_id import name_option
from sandboxd.plan.acting import lies_in_version_control
from sandboxd.screen import first_of

if TYPE_CHECKING:
    from collections.abc import Sequence

    from sandboxd.halt.put_back import Outcome
    from sandboxd.halt.record import Entry, Halt

_MOST_NAMED = 3
_LOOK = ": look at it before you use git, it may be from inside"


class Halted(EnvironmentFailure):
    """The sandbox is halted, and only the user can have it go on."""

    def __init__(self, message: str, hint: str, halt: Halt) -> None:
        super().__init__(message, hint)
        self.halt = halt


def is_by_config(halt: Halt) -> bool:
    """Whether only the project's `sandboxd.toml` was replaced, which cannot weaken a sandbox unless the user grants
    it.
    """
    lost = {entry.path for entry in halt.entries if entry.what is not None}
    return lost == {CONFIG_NAME}


def halted(halt: Halt, *, by_editor: bool = False, problem: str = "") -> Halted:
    """The error for a command that needs a halted sandbox to run.

    :param by_editor: whether an editor made the container, so that the editor has to rebuild it
    :param problem: why the halt is not in the audit record; '' if it is
    """
    recreate = "" if is_by_config(halt) else " --recreate"
    again = f"`sandboxd up{name_option(halt.sandbox)}{recreate}` makes it anew with the work in it"
    if by_editor:
        again = rebuild(halt.container)
    text = "; ".join(part for part in (describe(halt), problem) if part)
    return Halted(f"the sandbox is halted: {text}", again, halt)


def rebuild(container: str) -> str:
    """The next step for a container that an editor made, and that has to be made anew.

    :param container: its full id
    """
    by_hand = end_by_hand(f"docker rm -f {container[:12]}")
    return f"rebuild it in the editor (Dev Containers: Rebuild Container), or {by_hand}"


def end_by_hand(command: str) -> str:
    """A command of the engine that ends a container, with what to do where the engine gives up too early."""
    return (
        f"`{command}`; where that fails with `can not be killed`, do it again: "
        "a paused gVisor has ended by then"
    )


def describe(halt: Halt) -> str:
    """A description for a person: the paths that were replaced, and the treatment of each."""
    lost = [entry for entry in halt.entries if entry.what is not None]
    gone = [entry for entry in lost if entry.what in (What.REPLACED, What.REMOVED)]

    def of(what: What) -> list[Entry]:
        return [entry for entry in lost if entry.what is what]

    parts = (
        _of_gone(gone, is_seen=halt.reason is Reason.REPLACED),
        _of_linked(of(What.LINKED)),
        _of_arrived(of(What.ARRIVED)),
        _of_named(of(What.ENTERED), "goes into", "index"),
        _of_named(of(What.LISTED), "goes into", "list of work trees"),
        _of_tracked(of(What.TRACKED)),
        _of_added(of(What.ADDED)),
        _of_named(of(What.NAMED), "acts upon", "config", _LOOK),
    )
    text = "; ".join(part for part in parts if part)
    if halt.place:
        text += f"; the folder is `{halt.place}` now"
    done = [part for entry in halt.entries if (part := _done(entry.what, entry.outcome))]
    if halt.reason is Reason.UNWATCHED:
        done.append(
            "nobody watched, so look at it before a tool on the host does: it may be from inside"
        )
    if halt.is_stopped:
        done.append("its engine cannot pause it, so what ran inside was ended")
    return "; ".join([text, *done])


def _names(entries: Sequence[Entry]) -> str:
    return first_of([entry.path for entry in entries], _MOST_NAMED)


def _of_gone(gone: Sequence[Entry], *, is_seen: bool) -> str:
    """:param is_seen: whether somebody watched the mount go, which no program inside can bring about"""
    if not gone:
        return ""
    whats = {entry.what.value for entry in gone if entry.what is not None}
    verb = whats.pop() if len(whats) == 1 else "replaced or removed"
    is_are = "was" if len(gone) == 1 else "were"
    where = " on the host" if is_seen else ""
    return f"{_names(gone)} {is_are} {verb}{where}, which took the mount away"


def _of_linked(entries: Sequence[Entry]) -> str:
    if not entries:
        return ""
    text = f"a hard link was made to {_names(entries)} on the host, by which it could be written inside"
    # Unlike files with a mount of their own, nothing was read of these before.
    of_git = [entry for entry in entries if lies_in_version_control(entry.path)]
    return f"{text}: look at {_names(of_git)} before you use git here" if of_git else text


def _of_arrived(entries: Sequence[Entry]) -> str:
    if not entries:
        return ""
    was = "was" if len(entries) == 1 else "were"
    return (
        f"{_names(entries)} {was} brought on the host into a folder that is shut, and programs inside may go on writing it, "
        "or what it leads to: look at it before a tool on the host does"
    )


def _of_named(entries: Sequence[Entry], does: str, by: str, hint: str = "") -> str:
    """The sentence about what git on the host has come to act upon, and nothing is mounted on."""
    if not entries:
        return ""
    has = "has" if len(entries) == 1 else "have"
    return (
        f"git on the host {does} {_names(entries)}, which its {by} names since the start, and "
        f"which {has} no mount{hint}"
    )


def _of_tracked(entries: Sequence[Entry]) -> str:
    if not entries:
        return ""
    return (
        f"{_names(entries)}, which git on the host tracks and tools there act upon, came since the start and "
        f"{'has' if len(entries) == 1 else 'have'} no mount"
    )


def _of_added(entries: Sequence[Entry]) -> str:
    if not entries:
        return ""
    return f"git on the host adds the submodule {_names(entries)}, whose place has no mount"


def _take(outcome: Outcome) -> str:
    return shlex.join(("mv", outcome.aside, outcome.path))


def _done(what: What | None, outcome: Outcome | None) -> str:
    if outcome is None:
        return ""
    if outcome.problem:
        return f"`{outcome.path}` may be from inside and could not be put aside: {outcome.problem}"
    if outcome.action is Action.PUT_BACK:
        return (
            f"what `{outcome.path}` said before is back, since the new one may be from inside: "
            f"it is `{outcome.aside}`, and `{_take(outcome)}` takes it if it is yours"
        )
    if outcome.action is Action.SET_ASIDE:
        text = f"`{outcome.path}` may be from inside: it is `{outcome.aside}` now"
        if what not in (What.ENTERED, What.LISTED, What.TRACKED, What.NAMED):
            return text
        return f"{text}, and `{_take(outcome)}` takes it if it is yours"
    return ""
