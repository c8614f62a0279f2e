"""Folders with many files that tools make, such as `node_modules`: under gVisor they are mounted as tmpfs.

Each access to a file of the host costs a gVisor sandbox a call to another process; a tree like `node_modules`
is accessed all the time (docs/decisions/0021). What lies in memory is lost with the sandbox, so only what
tools can make again is put there, and never over what the host has already, unless the project asks for it.
"""

from __future__ import annotations

import posixpath
from typing import TYPE_CHECKING

from sandboxd.errors import UsageError
from sandboxd.model.control_name import ControlName
from sandboxd.model.paths import overlap
from sandboxd.plan.reasons import Reason
from sandboxd.plan.tool_folders import Tree

if TYPE_CHECKING:
    from sandboxd.config.model import WorkspaceWishes
    from sandboxd.plan.notes import Notes
    from sandboxd.plan.profiles import Profile
    from sandboxd.plan.runtime import Choice
    from sandboxd.plan.workspace import WorkspaceFacts


def hot_trees(
    profile: Profile,
    facts: WorkspaceFacts,
    choice: Choice,
    wishes: WorkspaceWishes,
    notes: Notes,
) -> tuple[Tree, ...]:
    """The folders to mount as tmpfs.

    :raises UsageError: the project asks for one that cannot be
    """
    is_asked_for = wishes.hot is not None
    if is_asked_for:
        for tree in facts.hot:
            _refuse(tree, facts)
    if not (facts.hot and choice.gvisor and profile.access == "rw" and profile.hot):
        if is_asked_for and facts.hot:
            _say_not_used(profile, choice, notes)
        return ()
    if not is_asked_for:
        _say_what_stays(facts, notes)
    chosen = tuple(tree for tree in facts.hot if is_asked_for or tree.state in ("missing", "empty"))
    if chosen:
        names = ", ".join(f"`{tree.path}`" for tree in chosen)
        notes.downgrade(
            ControlName.FILES_IN_MEMORY,
            f"{names}: at most {profile.hot} each, within the memory limit; not on the host, and gone "
            "with the sandbox",
            "`[workspace] hot = []` in sandboxd.toml keeps them on the host, where gVisor is slower",
        )
    hidden = [f"`{tree.path}`" for tree in chosen if tree.state == "content"]
    if hidden:
        notes.downgrade(
            ControlName.FILES_IN_MEMORY,
            f"what the host has in {', '.join(hidden)} is hidden inside: the project asks for it",
            "take it out of `[workspace] hot` in sandboxd.toml to work on the host's",
        )
    return chosen


def why(tree: Tree) -> str:
    """The reason that the plan states for the tmpfs mount of `tree`."""
    cause = f"beside `{tree.marker}`" if tree.marker else "asked for"
    return f"{cause}: many files, which are slow on the host under gVisor"


def _refuse(tree: Tree, facts: WorkspaceFacts) -> None:
    if tree.path.split("/")[0] == ".git":
        raise UsageError(
            "`.git` cannot be kept in memory: commits would go with the sandbox",
            'for a private copy of all: `[workspace] layout = "clone"` in sandboxd.toml',
        )
    for control in facts.control_files:
        if overlap(tree.path, control.path):
            raise UsageError(
                f"`{tree.path}` cannot be kept in memory: `{control.path}` is a control file",
                "take it out of `[workspace] hot` in sandboxd.toml",
            )
    if tree.state == "in the way":
        parent = posixpath.dirname(tree.path) or "."
        raise UsageError(
            f"`{tree.path}` cannot be kept in memory: it is no folder, or `{parent}` is none",
            "correct `[workspace] hot` in sandboxd.toml",
        )


def _say_not_used(profile: Profile, choice: Choice, notes: Notes) -> None:
    if profile.access != "rw":
        reason = "the whole workspace is in memory, or read-only"
    elif not choice.gvisor:
        reason = "without gVisor the host's files are as fast"
    else:
        reason = f"profile `{profile.name}` keeps nothing in memory"
    notes.reasons.append(Reason("mounts", "`[workspace] hot` is not used", notes.profile, reason))


def _say_what_stays(facts: WorkspaceFacts, notes: Notes) -> None:
    for tree in facts.hot:
        if tree.state == "content":
            notes.reasons.append(
                Reason(
                    "mounts",
                    f"{tree.path} (on the host)",
                    "host",
                    "it has content there, which would be hidden; in memory it would be faster: "
                    f'`[workspace] hot = ["{tree.path}"]`',
                )
            )
