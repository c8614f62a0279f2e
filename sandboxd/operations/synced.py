"""Compare both sides of the copy that is kept the same, once and now; nothing is done for a sandbox without one.

It also takes the user's answer to the question whether many files may be removed.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple, TypedDict

from sandboxd.engine.interruption import interruptible
from sandboxd.errors import UsageError
from sandboxd.operations._folder import project_folder
from sandboxd.operations.options import SettleOptions

if TYPE_CHECKING:
    from sandboxd.operations.request import Request
    from sandboxd.sync.last_state import LastState
    from sandboxd.sync.record import Record

NEEDS_FACTS = False

_SESSION_SECONDS = 20.0
"""Seconds for a comparison by the daemon's session; then it is done here."""
_COMMITS_SECONDS = 5.0
"""Seconds for commits to pass; a large transfer goes on behind the command."""


class Settled(NamedTuple):
    """`problem` is the reason why both sides are not the same, '' where they are or there is no copy.

    `state` is what the last comparison ended with, None if there is no copy; `age` says how old it is where the sandbox
    does not run, '' where both sides were compared now.
    """

    problem: str = ""
    state: LastState | None = None
    age: str = ""


class SettledDocument(TypedDict):
    """`Settled` as JSON."""

    problem: str
    state: dict[str, object] | None
    age: str


def serve(request: Request) -> Settled:
    """Compare once, with `SettleOptions`, the copy of a sandbox that runs; of one that is stopped, tell the last state.

    :raises EnvironmentFailure: both sides cannot be compared
    :raises UsageError: the answer is to no question, or to another one, or the sandbox does not run
    """
    from sandboxd.life import find, synced_copy
    from sandboxd.model.labels import PROJECT
    from sandboxd.sync import last_state
    from sandboxd.sync.place import place_of

    options = request.read_options(SettleOptions)
    engine = interruptible(request.engine, request.cancel)
    folder = project_folder(request.directory)
    for container in find.project_containers(engine, folder, request.name):
        sandbox = container.labels[PROJECT]
        copy = synced_copy.record_of(request.environ, sandbox, container.id)
        if copy is None:
            continue
        if container.state != "running":
            return _last(request, options, sandbox, container.state)
        problem = _settle(request, options, sandbox, copy)
        return Settled(problem, last_state.read(place_of(request.environ, sandbox)))
    return Settled()


def _last(request: Request, options: SettleOptions, sandbox: str, state: str) -> Settled:
    """What was known of a copy when its sandbox ended."""
    import time

    from sandboxd.model.sandbox_id import name_option
    from sandboxd.screen import duration
    from sandboxd.sync import last_state
    from sandboxd.sync.place import place_of

    last = last_state.read(place_of(request.environ, sandbox))
    if last is None or options.removals or options.restores:
        raise UsageError(
            f"the sandbox is {state}, so both sides cannot be compared",
            f"`sandboxd up{name_option(sandbox)}` starts it",
        )
    when = f"{duration(max(time.time() - last.at, 0.0))} ago" if last.at else "never"
    return Settled(last.problem, last, f"the sandbox is {state}; both sides were compared {when}")


def _settle(request: Request, options: SettleOptions, sandbox: str, copy: Record) -> str:
    from sandboxd.life import synced_copy
    from sandboxd.sync import last_state

    engine, environ = interruptible(request.engine, request.cancel), request.environ
    if options.removals or options.restores:
        report = synced_copy.answer(
            engine, environ, sandbox, copy, options.removals, restores=options.restores
        )
        return last_state.problem_of(report)
    problem = request.keeping.settle_copy(sandbox, _SESSION_SECONDS)
    if problem is not None:
        # Behind the files: what a switch on one side wrote is no difference on the other.
        request.keeping.settle_commits(sandbox, _COMMITS_SECONDS)
        return problem
    return last_state.problem_of(synced_copy.compare(engine, environ, sandbox, copy))
