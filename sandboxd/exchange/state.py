"""The state of a git directory that an exchange compares: refs, HEAD, index, and an operation under way. Types only."""

from __future__ import annotations

import enum
from collections.abc import Collection, Mapping
from typing import NamedTuple


class Head(NamedTuple):
    """HEAD: `branch` is the full name of the branch that it is on, else `commit` is the id of a detached HEAD.

    Both are '' where HEAD is not known.
    """

    branch: str = ""
    commit: str = ""

    @property
    def is_known(self) -> bool:
        """Whether HEAD has a form that git writes."""
        return bool(self.branch or self.commit)


class Operation(enum.Enum):
    """An operation of git that has not ended, so that HEAD, branch and index may not belong together."""

    MERGE = "merge"
    REBASE = "rebase"
    CHERRY_PICK = "cherry-pick"
    REVERT = "revert"
    BISECT = "bisect"
    WRITING = "command of git"


class Refs(NamedTuple):
    """Object ids of branches, tags, remote-tracking refs and the newest stash, by the full name of the ref.

    `broken` are existing refs without a valid id, such as symbolic ones: they are neither moved nor deleted. `refused`
    counts refs whose name git does not allow.
    """

    ids: Mapping[str, str]
    broken: frozenset[str] = frozenset()
    refused: int = 0


class Side(NamedTuple):
    """The state of one git directory at one moment.

    `staged` is the digest of the index's entries (see `index_file`), None where the index cannot be read. `operation`
    is None where none is under way. `elsewhere` are full names of branches that other work trees have checked out,
    `rewritten` those that the operation moves at its end.
    """

    refs: Refs
    head: Head
    staged: str | None
    operation: Operation | None = None
    elsewhere: frozenset[str] = frozenset()
    rewritten: frozenset[str] = frozenset()

    def tip(self, name: str) -> str:
        """The object id of the ref `name`, '' where there is none."""
        return self.refs.ids.get(name, "")

    @property
    def commit(self) -> str:
        """The commit that is checked out, '' where there is none."""
        return self.head.commit or self.tip(self.head.branch)


class Mounts(enum.Enum):
    """Whether the mounts that shut a part of the workspace are there, at one moment."""

    HELD = "each is there"
    LOST = "the host replaced what one of them was on"
    UNSEEN = "they cannot be seen from here"


BY_WEIGHT = "//by-weight"
"""Stands, among shut paths, for all files that tools on the host act upon by themselves (`policy.acts_on_host`)."""


class Shut(NamedTuple):
    """The paths in the workspace that are read-only in the sandbox; '' stands for the whole workspace,
    `BY_WEIGHT` for files of a copy that is kept the same and that never get from there into the host's folder.

    `is_held`: their mounts are known to be there, so that nobody inside can have written the files at them.
    """

    paths: Collection[str] = ()
    is_held: bool = False


class Agreed(NamedTuple):
    """The state that both sides last had in common, ref by ref; `staged` is the digest of the host's index.

    `from_inside` are branches and tags of the host that an exchange made; `owner` is the part of the names of refs
    below `refs/sandboxd` that stands for the sandbox, '' in records of older versions.
    """

    refs: Mapping[str, str]
    head: Head = Head()
    staged: str | None = None
    from_inside: frozenset[str] = frozenset()
    owner: str = ""
