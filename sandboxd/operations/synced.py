"""Compare both sides of the copy that is kept the same, once and now; nothing is done for a sandbox without one.

It also takes the user's answer to the question whether many files may be removed.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple, TypedDict

from sandboxd.operations._folder import project_folder
from sandboxd.operations.interruption import interruptible

if TYPE_CHECKING:
    from sandboxd.operations.request import Request
    from sandboxd.sync.last_state import LastState
    from sandboxd.sync.record import Record

NEEDS_FACTS = False

_SESSION_SECONDS = 20.0
"""Seconds for a comparison by the daemon's session; then it is done here."""


class Options(TypedDict):
    """The options of `serve`."""

    name: str
    """The sandbox's name; '' for the unnamed one."""
    removals: int
    """The user's answer: so many files may be removed; 0 for no answer."""
    restores: bool
    """The user's answer: they are to be restored."""


class Settled(NamedTuple):
    """`problem` is the reason why both sides are not the same, '' where they are or there is no copy.

    `state` is what the comparison ended with, None if there is no copy.
    """

    problem: str = ""
    state: LastState | None = None


class SettledDocument(TypedDict):
    """`Settled` as JSON."""

    problem: str
    state: dict[str, object] | None


def serve(request: Request) -> Settled:
    """Compare once, with `Options`, the copy of a sandbox that runs.

    :raises EnvironmentFailure: both sides cannot be compared
    :raises UsageError: the answer is to no question, or to another one
    """
    from sandboxd.life import find, synced_copy
    from sandboxd.model.labels import PROJECT
    from sandboxd.sync import last_state
    from sandboxd.sync.place import place_of

    engine = interruptible(request.engine, request.cancel)
    folder = project_folder(request.directory)
    for container in find.project_containers(engine, folder, request.name):
        sandbox = container.labels[PROJECT]
        copy = synced_copy.record_of(request.environ, sandbox, container.id)
        if copy is not None and container.state == "running":
            problem = _settle(request, sandbox, copy)
            return Settled(problem, last_state.read(place_of(request.environ, sandbox)))
    return Settled()


def _settle(request: Request, sandbox: str, copy: Record) -> str:
    from sandboxd.life import synced_copy
    from sandboxd.sync import last_state

    engine, environ = interruptible(request.engine, request.cancel), request.environ
    removals, restores = request.number("removals"), request.flag("restores")
    if removals or restores:
        report = synced_copy.answer(engine, environ, sandbox, copy, removals, restores=restores)
        return last_state.problem_of(report)
    problem = request.keeping.settle_copy(sandbox, _SESSION_SECONDS)
    if problem is not None:
        return problem
    return last_state.problem_of(synced_copy.compare(engine, environ, sandbox, copy))
