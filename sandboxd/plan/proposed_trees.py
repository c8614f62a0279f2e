"""Finds folders of a workspace that would be faster as tmpfs under gVisor, to be proposed to the user.

A tmpfs hides the host's folder at its place, and is lost with the sandbox (docs/decisions/0021). So a folder is
proposed only if a tool fills it, it has many files, and it fits.
"""

from __future__ import annotations

import posixpath
import re
from typing import TYPE_CHECKING, NamedTuple

from sandboxd.config.values import FOLDER_INSIDE
from sandboxd.model.paths import overlap
from sandboxd.plan.tool_folders import KNOWN
from sandboxd.plan.writers.engine import memory_bytes
from sandboxd.toml_output import value

if TYPE_CHECKING:
    from collections.abc import Iterable

    from sandboxd.config.model import Config
    from sandboxd.plan.plan import Plan
    from sandboxd.plan.profiles import Profile

_MANY_FILES = 1000
"""The number of files from which a folder is proposed: gVisor needs half a second to read so many from the host, and
half of that from memory.
"""
_MANY_CHANGES = 200
"""The number of files changed within a week from which a folder is proposed: a tool rewrites them repeatedly."""
_MOST = 5


class Size(NamedTuple):
    """A folder, by its path below the workspace: the number and total size of all files in it, and how many are
    recent.
    """

    path: str
    files: int
    bytes: int
    recent: int
    is_whole: bool
    """False if the walk was cut short, so that there are more files."""


class Proposal(NamedTuple):
    """The folders that would be faster as tmpfs.

    `line` is the complete setting `hot` for sandboxd.toml, including the folders that are tmpfs already.
    """

    trees: tuple[Size, ...]
    line: str
    too_large: tuple[Size, ...]
    """Folders that are larger than `limit`."""
    limit: str
    """The size that the profile gives each such folder; '' if it gives none."""


NOTHING = Proposal((), "", (), "")


def is_of_use(plan: Plan, profile: Profile) -> bool:
    """Whether anything could be proposed: only under gVisor, if the workspace is the host's own folder."""
    return bool(plan.gvisor and profile.access == "rw" and profile.hot and not plan.prepare)


def propose(plan: Plan, profile: Profile, config: Config, trees: Iterable[Size]) -> Proposal:
    """Select the folders to propose, the one with most files first.

    :param trees: the folders that were counted
    """
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
        and not any(overlap(tree.path, path) for path in occupied)
    ]
    fitting = tuple(tree for tree in candidates if tree.is_whole and tree.bytes <= limit)[:_MOST]
    names = [*in_memory(plan, config), *(tree.path for tree in fitting)]
    line = f"hot = [{', '.join(value(name) for name in names)}]" if fitting else ""
    rest = tuple(tree for tree in candidates if tree not in fitting and tree.bytes > limit)[:_MOST]
    return Proposal(fitting, line, rest, profile.hot)


def in_memory(plan: Plan, config: Config) -> tuple[str, ...]:
    """The folders that are tmpfs now, which `hot` has to list as well: its list replaces those that are found
    automatically.
    """
    if config.wishes.hot is not None:
        return tuple(setting.value for setting in config.wishes.hot)
    folder = plan.container.working_dir.value if plan.container.working_dir else ""
    targets = {mount.value.target for mount in plan.container.mounts if mount.value.type == "tmpfs"}
    return tuple(tree for tree in KNOWN if f"{folder}/{tree}" in targets)
