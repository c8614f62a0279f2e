"""Does and undoes steps so that the next run can finish or undo what a killed run left.

Before a step begins, what is needed to undo it is on disk. If a step fails, all steps are undone.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

from sandboxd.errors import EnvironmentFailure, SandboxdError
from sandboxd.setup.journal import Journal
from sandboxd.setup.step import Say, Step

Boundary = Callable[[str, str], None]
"""Called between any two events with the event (``begun``, ``did``, ``done``, ``undid``) and the step's id; may raise,
to stop the run there. For tests.
"""


def _nothing(_event: str, _step: str) -> None:
    return None


def apply(steps: Sequence[Step], journal: Journal, say: Say, boundary: Boundary = _nothing) -> bool:
    """Do the steps that are not done yet; return False if there were none.

    :raises EnvironmentFailure: a step failed, and all were undone
    """
    changed = False
    for step in steps:
        if step.id not in journal.begun:
            if step.is_done():
                continue
            journal.begin(step.id, step.before())
        elif step.id in journal.results and step.is_done():
            continue
        boundary("begun", step.id)
        changed = True
        say(step.title)
        try:
            result = step.do(say)
        except (SandboxdError, OSError) as error:
            raise _put_back(steps, journal, say, error) from None
        boundary("did", step.id)
        journal.record_result(step.id, result)
        boundary("done", step.id)
    if changed or not journal.complete:
        journal.finish()
    return changed


def roll_back(
    steps: Sequence[Step], journal: Journal, say: Say, boundary: Boundary = _nothing
) -> None:
    """Undo every step that was begun, in reverse order, and remove the journal.

    :raises EnvironmentFailure: a step cannot be undone; the journal stays for another attempt
    """
    journal.start_undo()
    for step in reversed(steps):
        if step.id not in journal.begun or step.id in journal.undone:
            continue
        boundary("undoing", step.id)
        say(f"undo: {step.title}")
        step.undo(journal.begun[step.id] | journal.results.get(step.id, {}), say)
        boundary("undid", step.id)
        journal.did_undo(step.id)
    journal.remove()


def _put_back(
    steps: Sequence[Step], journal: Journal, say: Say, error: SandboxdError | OSError
) -> EnvironmentFailure:
    message = error.message if isinstance(error, SandboxdError) else str(error)
    hint = error.hint if isinstance(error, SandboxdError) else ""
    say(f"failed: {message}")
    try:
        roll_back(steps, journal, say)
    except (SandboxdError, OSError) as second:
        more = second.message if isinstance(second, SandboxdError) else str(second)
        return EnvironmentFailure(
            f"{message}; and it could not be put back: {more}",
            "run the same command with `--rollback`",
        )
    return EnvironmentFailure(f"{message}; everything was put back as it was", hint)
