"""Changes of sandboxd.toml that may make a command faster, to be measured."""

from __future__ import annotations

import os
from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING, NamedTuple

from sandboxd.config.model import Setting, WorkspaceWishes
from sandboxd.plan.proposed_trees import in_memory
from sandboxd.toml_output import value

if TYPE_CHECKING:
    from sandboxd.config.model import Config
    from sandboxd.plan.plan import Plan

_LEAST_FILES = 20
"""A folder that a command put fewer files into is no reason for its time."""


class Change(NamedTuple):
    """A change of `[workspace]` in sandboxd.toml: `line` is to be added there; `price` says for a person what else it
    changes.
    """

    name: str
    line: str
    price: str
    wishes: WorkspaceWishes

    def applied_to(self, config: Config) -> Config:
        """`config` with the change."""
        return config._replace(wishes=self.wishes)


def changes(config: Config, plan: Plan, filled: str | None) -> tuple[Change, ...]:
    """The changes worth trying for a project whose sandbox is `plan`.

    :param filled: the folder that the command writes most files into; None for none
    """
    if plan.prepare:
        # It works on a copy already, and nothing of that is on the host.
        return ()
    possible = [
        Change(
            "copy",
            'layout = "clone"',
            "a private copy of the workspace; `sandboxd review` brings changes back",
            config.wishes._replace(layout=Setting("clone")),
        )
    ]
    if filled is not None:
        trees = (*in_memory(plan, config), filled)
        line = f"hot = [{', '.join(value(tree) for tree in trees)}]"
        price = f"what is in `{filled}` is hidden from the host, and gone with the sandbox"
        wishes = config.wishes._replace(hot=tuple(Setting(tree) for tree in trees))
        possible.append(Change("memory", line, price, wishes))
    return tuple(possible)


def filled_folder(before: Mapping[str, int], after: Mapping[str, int]) -> str | None:
    """The top folder of a workspace that a command wrote most files into; None if it wrote few.

    :param before: the number of files by folder before the command, from `count_files`
    :param after: the same after it
    """
    more = {name: count - before.get(name, 0) for name, count in after.items()}
    best = max(more, key=lambda name: more[name], default=None)
    return best if best is not None and more[best] >= _LEAST_FILES else None


def count_files(workspace: str, skip: Iterable[str] = (".git",)) -> dict[str, int]:
    """The number of files below each top folder of `workspace`; no link is followed.

    :param skip: names of top folders that are left out
    """
    left_out = set(skip)
    counts: dict[str, int] = {}
    with os.scandir(workspace) as entries:
        folders = [entry.name for entry in entries if entry.is_dir(follow_symlinks=False)]
    for name in folders:
        if name not in left_out:
            tree = os.walk(os.path.join(workspace, name), followlinks=False)
            counts[name] = sum(len(files) for _, _, files in tree)
    return counts
