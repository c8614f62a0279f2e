"""Says what became of the sandboxes that run, after a command that gives or takes back."""

from __future__ import annotations

import os

from sandboxd.cli import terminal
from sandboxd.errors import EXIT_ENVIRONMENT, EXIT_OK

TYPE_CHECKING = False
if TYPE_CHECKING:
    from sandboxd.operations.following import Outcome


def follow(workspace: str = "") -> int:
    """Have the running sandboxes have what they may have now, say which do, and return the exit code.

    :param workspace: only those of this one, a real path; '' for all
    """
    from sandboxd.engine.client import connect_from
    from sandboxd.operations.following import follow_all

    outcomes = follow_all(os.environ, lambda: connect_from(os.environ), workspace)
    for each in outcomes:
        _say(each)
    return EXIT_ENVIRONMENT if any(each.problem for each in outcomes) else EXIT_OK


def _say(outcome: Outcome) -> None:
    from sandboxd.model.sandbox_id import describe

    what = terminal.one_line(describe(outcome.sandbox))
    if outcome.is_followed:
        terminal.status(f"{what}: the sandbox that runs has what it may have now, and no more")
    elif outcome.problem:
        terminal.status(f"{what}: {terminal.one_line(outcome.words)}")
        terminal.status(f"  hint: {outcome.hint}; then `sandboxd status` there tries again")
