"""Folders beside the workspace that a project wants to read, as `[workspace] folders` names them. Pure."""

from __future__ import annotations

import posixpath
from collections.abc import Collection
from typing import TYPE_CHECKING

from sandboxd.errors import UsageError
from sandboxd.model.control_name import ControlName
from sandboxd.model.paths import overlap
from sandboxd.plan.mounts import target_folder
from sandboxd.plan.pinned_volume import read_only_folder
from sandboxd.plan.workspace import SOCKETS, why_sockets

if TYPE_CHECKING:
    from sandboxd.model.container import Mount
    from sandboxd.model.values import Value
    from sandboxd.plan.decisions import Decisions
    from sandboxd.plan.notes import Notes
    from sandboxd.plan.workspace import ExtraFolder, WorkspaceFacts
    from sandboxd.policy.floor import Floor

_KEY = "`[workspace] folders` in sandboxd.toml"
_TAKE_OUT = f"take it out of {_KEY}"


def path_of(workspace: str, written: str) -> str:
    """The absolute path on this machine of the folder that is `written` relative to the workspace."""
    return posixpath.normpath(posixpath.join(workspace, written))


def target_of(workspace: str, written: str) -> str:
    """The folder inside at which it is mounted: by the same relative path where it is beside the workspace itself."""
    beside = posixpath.dirname(target_folder(workspace))
    below = posixpath.normpath(posixpath.join(target_folder(workspace), written))
    return below if below.startswith(f"{beside}/") else f"{beside}/{posixpath.basename(below)}"


def refuse(wishes: Collection[str], floor: Floor, *, on_cluster: bool) -> None:
    """Refuse folders where they cannot be, or would undo what a policy says.

    :raises UsageError: there are `wishes`, and the sandbox runs on a cluster, or a policy hides files
    """
    if not wishes:
        return
    named = ", ".join(f"`{written}`" for written in wishes)
    if on_cluster:
        raise UsageError(
            f"{named} would be mounted from this machine, which a cluster cannot do", _TAKE_OUT
        )
    if floor.hide:
        raise UsageError(
            f"`{floor.path_of('hide')}` hides files, and {named} would be mounted with all that is in it",
            _TAKE_OUT,
        )


def mounts(
    decisions: Decisions, facts: WorkspaceFacts, covered: Collection[str], notes: Notes
) -> tuple[Value[Mount], ...]:
    """The read-only mounts of `facts.extra_folders`.

    :param covered: the folders inside at which something else is mounted
    :raises UsageError: one of them cannot be mounted
    """
    occupied = [target_folder(facts.path), *covered]
    values = []
    for folder in facts.extra_folders:
        if folder.problem:
            raise UsageError(
                f"`{folder.written}` of {_KEY} {folder.problem}",
                f"name a folder beside the workspace, or {_TAKE_OUT}",
            )
        target = target_of(facts.path, folder.written)
        if other := next((each for each in occupied if overlap(target, each)), ""):
            raise UsageError(
                f"`{folder.written}` of {_KEY} would be at `{target}` inside, and `{other}` is another folder there",
                _TAKE_OUT,
            )
        occupied.append(target)
        mount = read_only_folder(folder.path, target, decisions.choice.plain_pins_hold)
        why = f"`{folder.written}`, which you agreed to have read inside"
        item = f"{target} (read-only)"
        values.append(notes.value("mounts", mount, item, why, "config"))
        _say_what_is_open(folder, target, notes, hides=decisions.profile.hide_secrets)
    return tuple(values)


def _say_what_is_open(folder: ExtraFolder, target: str, notes: Notes, *, hides: bool) -> None:
    if hides:
        notes.downgrade(
            ControlName.HIDDEN_FILES,
            f"`{target}` is your folder `{folder.path}` itself: a file in it that looks like a secret can be read inside",
            "keep secrets out of that folder",
        )
    if folder.sockets:
        notes.downgrade(
            SOCKETS,
            why_sockets(f"{target}/{name}" for name in folder.sockets),
            f"stop that program or move its socket out of `{folder.path}`",
        )
