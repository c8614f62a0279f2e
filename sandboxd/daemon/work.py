"""The two jobs on a project's files that run in a thread: examining them, and generating files from them."""

from __future__ import annotations

import logging
import os
import time
from collections.abc import Callable, Mapping
from typing import NamedTuple

from sandboxd.errors import SandboxdError
from sandboxd.files import CONFIG_NAME
from sandboxd.host.facts import HostFacts
from sandboxd.ipc import messages
from sandboxd.plan.generate import Written
from sandboxd.plan.plan import Plan
from sandboxd.project import Project
from sandboxd.status.combine import Examined
from sandboxd.status.examine import examine, examine_open, examine_unread

_LONGEST_SAVE = 10.0

log = logging.getLogger(__name__)


class Outcome(NamedTuple):
    """The result of one examination or generation. Paths are relative to the workspace.

    `written` are the files that changed; `copies` are a user's edits of generated files, moved to another name;
    `failure` says why nothing could be written although the config is valid, '' for no failure; `done` is when the
    files were in place, in seconds of the monotonic clock, 0 where nothing was generated.
    """

    examined: Examined
    written: tuple[str, ...] = ()
    copies: tuple[str, ...] = ()
    failure: str = ""
    done: float = 0.0


def generate(path: str, environ: Mapping[str, str], facts: HostFacts) -> Outcome:
    """Generate the project's files where they differ from what its config asks for; never raises."""
    return _guarded(_generate, path, environ, facts)


def look(path: str, environ: Mapping[str, str], facts: HostFacts) -> Outcome:
    """Examine the project without writing anything; never raises."""
    return _guarded(_look, path, environ, facts)


def _look(path: str, environ: Mapping[str, str], facts: HostFacts) -> Outcome:
    return Outcome(examine(path, environ, facts), done=time.monotonic())


def _guarded(
    job: Callable[[str, Mapping[str, str], HostFacts], Outcome],
    path: str,
    environ: Mapping[str, str],
    facts: HostFacts,
) -> Outcome:
    try:
        return job(path, environ, facts)
    except Exception as error:
        log.exception("looking at `%s` failed", path)
        examined = bug(error)
        return Outcome(examined, failure=examined.problem)


def bug(error: Exception) -> Examined:
    """The result for a project whose examination failed because of a bug in sandboxd."""
    text = f"bug in sandboxd: {type(error).__name__}: {error}"
    return Examined(problem=text, hint="`sandboxd daemon logs` shows where")


def _generate(path: str, environ: Mapping[str, str], facts: HostFacts) -> Outcome:
    # Without a sandboxd.toml no files are generated.
    if not os.path.lexists(os.path.join(path, CONFIG_NAME)):
        return _look(path, environ, facts)
    try:
        project = Project.open(path, environ)
    except SandboxdError as error:
        done_at = time.monotonic()
        return Outcome(examine_unread(path, environ, facts, error), done=done_at)
    # First the files, which somebody waits for; what `status` says of them may come later.
    written: list[Written] = []
    plan: Plan | None = None
    failure: SandboxdError | None = None
    try:
        planned = project.planned(facts)
        written = project.write(planned)
        # A folder or a file that came is one that the plan did not see in the workspace.
        if not planned.plan.stubs and not any(item.is_new for item in written):
            plan = planned.plan
    except SandboxdError as error:
        failure = error
    done_at = time.monotonic()
    examined = examine_open(project, environ, facts, plan)
    if not examined.valid:
        failure = None  # the config is what is wrong, and `examine_open` says it
    if failure is not None:
        examined = examined._replace(problem=failure.message, hint=failure.hint)
    names = tuple(item.path for item in written if item.changed)
    copies = tuple(item.copy for item in written if item.copy)
    return Outcome(examined, names, copies, failure.message if failure is not None else "", done_at)


def event(path: str, outcome: Outcome, milliseconds: float) -> messages.Event:
    """The outcome as an event for clients.

    :param milliseconds: from the save of the config to the end of the work: see `elapsed`
    """
    if outcome.failure:
        return {"kind": "failed", "path": path, "message": outcome.failure}
    examined = outcome.examined
    if not examined.valid:
        text = f"{examined.problem}; the last good files stay"
        return {"kind": "invalid", "path": path, "message": text, "milliseconds": milliseconds}
    if not outcome.written:
        return {"kind": "unchanged", "path": path, "files": [], "milliseconds": milliseconds}
    result: messages.Event = {
        "kind": "regenerated",
        "path": path,
        "files": list(outcome.written),
        "milliseconds": milliseconds,
    }
    if outcome.copies:
        result["message"] = f"your own edits are kept in {', '.join(outcome.copies)}"
    return result


def elapsed(saved_ns: int | None, event_at: float, done_at: float) -> float:
    """Milliseconds from the save of a config until `done_at`.

    Where the file's time does not fit the event's, as when clocks disagree, they are counted from the event.

    :param saved_ns: the file's modification time in nanoseconds since 1970; None to count from the event
    :param event_at: when the change was noticed, in seconds of the monotonic clock
    :param done_at: in seconds of the monotonic clock
    """
    since_seen = done_at - event_at
    if saved_ns is None:
        return round(since_seen * 1000, 1)
    since_saved = time.time() - (time.monotonic() - done_at) - saved_ns / 1e9
    fits = since_seen <= since_saved <= since_seen + _LONGEST_SAVE
    return round((since_saved if fits else since_seen) * 1000, 1)
