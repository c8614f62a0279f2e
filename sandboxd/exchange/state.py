"""What is compared of a git directory: its refs, HEAD, index, and an operation that is under way. Types only."""

from __future__ import annotations

import enum
from collections.abc import Mapping
from typing import NamedTuple


class Head(NamedTuple):
    """HEAD: the full name of a branch, or the id of a commit; both '' where it is not known."""

    branch: str = ""
    commit: str = ""

    @property
    def is_known(self) -> bool:
        """Whether there is a HEAD of a form that git makes."""
        return bool(self.branch or self.commit)


class Operation(enum.Enum):
    """An operation of git that is not ended: HEAD, branch and index are between two states."""

    MERGE = "merge"
    REBASE = "rebase"
    CHERRY_PICK = "cherry-pick"
    REVERT = "revert"
    BISECT = "bisect"
    WRITING = "command of git"


class Refs(NamedTuple):
    """Refs below `refs/heads`, `refs/tags` and `refs/remotes`, and the newest stash; by name.

    `broken` are refs that are there and name no object: neither moved nor deleted. `refused` counts those whose
    name git does not allow.
    """

    ids: Mapping[str, str]
    broken: frozenset[str] = frozenset()
    refused: int = 0


class Side(NamedTuple):
    """A git directory at one moment.

    `staged` is the digest of what the index says (see `index_file`), None where it cannot be read.
    `elsewhere` are branches that other work trees of the repository have checked out.
    """

    refs: Refs
    head: Head
    staged: str | None
    operation: Operation | None = None
    elsewhere: frozenset[str] = frozenset()

    def tip(self, name: str) -> str:
        """The id that the ref `name` has, '' for none."""
        return self.refs.ids.get(name, "")

    @property
    def commit(self) -> str:
        """The commit that is checked out, '' where there is none."""
        return self.head.commit or self.tip(self.head.branch)


class Agreed(NamedTuple):
    """The last state that both sides had, ref by ref; the index is that of the host.

    `from_inside` are branches and tags of the host that an exchange made; `owner` is what stands for the sandbox in
    the names of our refs there.
    """

    refs: Mapping[str, str]
    head: Head = Head()
    staged: str | None = None
    from_inside: frozenset[str] = frozenset()
    owner: str = ""
