"""Says what became of the sandboxes that run, after a command that gives or takes back."""

from __future__ import annotations

import os

from sandboxd import terminal
from sandboxd.errors import EXIT_ENVIRONMENT, EXIT_NOT_HELD, EXIT_OK

TYPE_CHECKING = False
if TYPE_CHECKING:
    from sandboxd.errors import SandboxdError
    from sandboxd.operations.following import Outcome


_MOST_NAMED = 5


def follow(workspace: str = "", *, elsewhere: bool = False) -> int:
    """Have the running sandboxes have what they may have now, on each engine on which any was started, say which do,
    and return the exit code: 6 where one may still have what was taken back, 4 where one has less than it may.

    :param workspace: only those of this one, a real path; '' for all
    :param elsewhere: only those on other engines than the one that this process's environment selects
    """
    from sandboxd.engine.client import connect_from
    from sandboxd.operations.following import follow_all

    outcomes = follow_all(os.environ, connect_from, workspace, elsewhere=elsewhere)
    for each in outcomes:
        _say(each)
    if any(each.behind for each in outcomes):
        return EXIT_NOT_HELD
    return EXIT_ENVIRONMENT if any(each.problem for each in outcomes) else EXIT_OK


def code_of(code: int, problem: SandboxdError | None) -> int:
    """The exit code of a command that took something back: that a sandbox may still have it weighs more than that this
    is in no record.

    :param code: what `follow` returned
    :param problem: what else went wrong; None for nothing
    :raises SandboxdError: `problem`, where no sandbox may have more
    """
    if problem is None:
        return code
    if code != EXIT_NOT_HELD:
        raise problem
    terminal.error(problem)
    return code


def _say(outcome: Outcome) -> None:
    from sandboxd.model.sandbox_id import describe

    what = terminal.one_line(describe(outcome.sandbox))
    if outcome.engine:
        what = f"{what} on `{terminal.one_line(outcome.engine)}`"
    if outcome.ended:
        gone = terminal.one_line(outcome.ended[:12])
        terminal.status(
            f"{what}: its container `{gone}` is there no more; what it was given is forgotten"
        )
    elif outcome.is_followed:
        terminal.status(f"{what}: the sandbox that runs has what it may have now, and no more")
    elif outcome.problem:
        terminal.status(f"{what}: {terminal.one_line(outcome.words)}")
        if outcome.last:
            more = ", ..." if len(outcome.last) > _MOST_NAMED else ""
            named = ", ".join(f"`{each}`" for each in outcome.last[:_MOST_NAMED])
            terminal.status(f"  it was last given {terminal.one_line(named)}{more}")
        hint = outcome.hint
        if not outcome.engine:
            hint = f"{hint}; then `sandboxd status` there tries again"
        terminal.status(f"  hint: {hint}")
