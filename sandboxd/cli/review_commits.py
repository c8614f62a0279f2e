"""The commits of a private copy, as `review` shows them."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

from sandboxd import terminal
from sandboxd.screen import cut

if TYPE_CHECKING:
    from sandboxd.review.changes import Changes

_MOST_COMMITS = 10


def show(changes: Changes, option: str) -> None:
    """Print the first lines of the commits, whose words are the sandbox's, and say how to keep them.

    :param option: the options by which the proposed command means the same sandbox
    """
    from sandboxd.review import rescue

    subjects, problem = rescue.subjects(changes, _MOST_COMMITS + 1)
    for subject in subjects[:_MOST_COMMITS]:
        line = terminal.one_line(f"commit {subject}")
        print(cut(line, terminal.width()) if sys.stdout.isatty() else line)
    if len(subjects) > _MOST_COMMITS:
        print("commit ... and more")
    sys.stdout.flush()
    if problem:
        terminal.status(problem)
    else:
        terminal.status(
            f"`sandboxd review{option} --save` keeps commits and work tree as refs below refs/sandboxd"
        )
