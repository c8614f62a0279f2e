"""The work of an agent that waits for a person: the files that differ in its copy, its commits, and its denied names."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Sequence

    from sandboxd.backends.backend import Collected

MOST_COMMITS = 1000
"""Commits that are counted; this number stands for more, too."""


class Work(NamedTuple):
    """What an agent did: a line for each changed file, its commits, the names that it was denied, and how many bytes it
    sent, in words.
    """

    files: Sequence[str]
    commits: int | None
    """None where they cannot be counted."""
    has_bundle: bool
    """Whether there is anything of git to look at: commits, changes that were stashed, a changed work tree."""
    denied: Sequence[dict[str, Any]] = ()
    sent: str = ""
    """Hostile text; '' where nothing was sent, or nobody knows."""


def read(collected: Collected) -> Work:
    """The files and commits in the collected changes; `denied` and `sent` are empty.

    :raises SandboxdError: the changes cannot be read
    """
    from sandboxd.operations.review import reviewed
    from sandboxd.review import patch, rescue

    with reviewed(collected) as review:
        lines = [patch.summary(item) for item in review.items]
        commits, problem = rescue.subjects(review.changes, MOST_COMMITS)
        number = None if problem else len(commits)
        return Work(lines, number, review.changes.bundle is not None)
