"""The folders of a workspace that would be faster in memory under gVisor: proposed to the user, never chosen.

A folder in memory hides the host's folder at its place, and is lost with the sandbox (docs/decisions/0021).
So one is proposed only where a tool fills it, where it has many files, and where it fits."""

from __future__ import annotations

import posixpath
import re
from typing import TYPE_CHECKING, NamedTuple

from sandboxd.config.values import FOLDER_INSIDE
from sandboxd.plan.hot_trees import KNOWN
from sandboxd.plan.writers.engine import memory_bytes
from sandboxd.toml_output import value

if TYPE_CHECKING:
    from collections.abc import Iterable

    from sandboxd.config.model import Config
    from sandboxd.host.tree_sizes import Size
    from sandboxd.plan.plan import Plan
    from sandboxd.plan.profiles import Profile

_MANY_FILES = 1000
"""To read so many files of the host takes a gVisor sandbox half a second, memory half of that."""
_MANY_CHANGES = 200
"""Files that were written in the last week: a tool writes them again and again."""
_MOST = 5


class Proposal(NamedTuple):
    """The folders that would be faster in memory.

    `line` is the whole setting `hot` for sandboxd.toml, the present folders in memory included.
    """

    trees: tuple[Size, ...]
    line: str
    too_large: tuple[Size, ...]
    """Those that do not fit into what the profile gives each."""
    limit: str
    """That size, as the profile has it; '' where it gives none."""


NOTHING = Proposal((), "", (), "")


def is_of_use(plan: Plan, profile: Profile) -> bool:
    """Whether anything could be proposed: under gVisor, where the workspace is the host's folder."""
    return bool(plan.gvisor and profile.access == "rw" and profile.hot and not plan.prepare)


def propose(plan: Plan, profile: Profile, config: Config, trees: Iterable[Size]) -> Proposal:
    """The trees to propose of those that were counted, the one with most files first."""
    if not is_of_use(plan, profile):
        return NOTHING
    folder = plan.container.working_dir.value if plan.container.working_dir else ""
    occupied = [*plan.stubs, *profile.control_files, ".git"]
    occupied += [
        posixpath.relpath(mount.value.target, folder)
        for mount in plan.container.mounts
        if mount.value.target.startswith(f"{folder}/")
    ]
    limit = memory_bytes(profile.hot)
    candidates = [
        tree
        for tree in trees
        if (tree.files >= _MANY_FILES or tree.recent >= _MANY_CHANGES)
        and re.fullmatch(FOLDER_INSIDE, tree.path)
        and tree.path.isprintable()
        and not any(_overlap(tree.path, path) for path in occupied)
    ]
    fitting = tuple(tree for tree in candidates if tree.is_whole and tree.bytes <= limit)[:_MOST]
    names = [*in_memory(plan, config), *(tree.path for tree in fitting)]
    line = f"hot = [{', '.join(value(name) for name in names)}]" if fitting else ""
    rest = tuple(tree for tree in candidates if tree not in fitting and tree.bytes > limit)[:_MOST]
    return Proposal(fitting, line, rest, profile.hot)


def in_memory(plan: Plan, config: Config) -> tuple[str, ...]:
    """The folders that `hot` must list to stay in memory: its list replaces the folders that are found."""
    if config.wishes.hot is not None:
        return tuple(setting.value for setting in config.wishes.hot)
    folder = plan.container.working_dir.value if plan.container.working_dir else ""
    targets = {mount.value.target for mount in plan.container.mounts if mount.value.type == "tmpfs"}
    return tuple(tree for tree in KNOWN if f"{folder}/{tree}" in targets)


def _overlap(one: str, other: str) -> bool:
    return f"{one}/".startswith(f"{other}/") or f"{other}/".startswith(f"{one}/")
