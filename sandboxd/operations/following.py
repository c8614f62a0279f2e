"""Applies a change of the user's rights to all running sandboxes, in the process of the command that made it.

A daemon does so by itself; this is for the case that none runs.
"""

from __future__ import annotations

import threading
import time
from typing import TYPE_CHECKING, NamedTuple

from sandboxd.engine.contexts import resolve
from sandboxd.errors import SandboxdError
from sandboxd.model.labels import EGRESS, PROJECT
from sandboxd.model.sandbox_id import workspace_of
from sandboxd.operations.given_records import command_for_gone, forget_ended
from sandboxd.state import given_rights

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from sandboxd.engine.client import Engine
    from sandboxd.engine.contexts import Identity
    from sandboxd.state.given_rights import Entry, GivenRights

_LONGEST_SECONDS = 30.0
"""Seconds after which a sandbox is reported as unreachable."""


class Outcome(NamedTuple):
    """The result of applying the present rights to one sandbox."""

    sandbox: str
    """The sandbox's identity."""
    is_followed: bool
    """Whether its gateway runs and enforces the present rights."""
    problem: str = ""
    """The reason why it enforces other rights; '' if it enforces the present ones, or no such sandbox runs."""
    hint: str = ""
    has_less: bool = False
    """Whether it has less than it may: a right that cannot be recorded in the audit record is not given."""
    engine: str = ""
    """The address of its engine; '' for the one that the caller's environment selects."""
    last: tuple[str, ...] = ()
    """The names and credentials that its gateway was last given, where it may still have them."""
    ended: str = ""
    """The id of its container where the engine does not have that any more, so that its record was removed."""

    @property
    def behind(self) -> str:
        """The reason why it may still have rights that were revoked; '' if it has none."""
        return "" if self.has_less else self.problem

    @property
    def words(self) -> str:
        """A sentence for the user; '' if there is nothing to report."""
        if not self.problem:
            return ""
        amount = "has less" if self.has_less else "may have more"
        return f"the sandbox {amount} than it may have now: {self.problem}"


def follow_all(
    environ: Mapping[str, str],
    connect: Callable[[Mapping[str, str]], Engine],
    workspace: str = "",
    *,
    elsewhere: bool = False,
) -> tuple[Outcome, ...]:
    """Apply the present rights to each of this user's sandboxes that was ever given any, on whichever engine it runs;
    no engine is asked if none was, and none that the user said is gone.

    :param connect: returns the engine that an environment selects; called in several threads
    :param workspace: the real path of the only workspace whose sandboxes are meant; '' for all
    :param elsewhere: whether only sandboxes on other engines than the one that `environ` selects are meant
    """
    present = resolve(environ)
    meant = [
        each
        for each in given_rights.entries(environ)
        if workspace in ("", workspace_of(each.sandbox))
        and not (elsewhere and _is_of(each, present))
        and not (each.is_gone and not _is_of(each, present))
    ]
    outcomes = {each.path: _silent(_Place(each, present, environ)) for each in meant}

    def run(record: Entry) -> None:
        outcomes[record.path] = _follow_record(_Place(record, present, environ), connect)

    # One that hangs keeps no other from being taken back.
    threads = [threading.Thread(target=run, args=(each,), daemon=True) for each in meant]
    for thread in threads:
        thread.start()
    end = time.monotonic() + _LONGEST_SECONDS
    for thread in threads:
        thread.join(max(end - time.monotonic(), 0.0))
    known = frozenset(each.sandbox for each in meant)
    return (
        *(outcomes[each.path] for each in meant),
        *_unrecorded(environ, connect, workspace, known),
    )


def follow_one(sandbox: str, environ: Mapping[str, str], connect: Callable[[], Engine]) -> Outcome:
    """Apply the present rights to one sandbox, if it was ever given any: under whatever address of its engine.

    :param sandbox: the sandbox's identity
    """
    # Usually it has a record by this address; all of them are read only where it has not.
    if (
        given_rights.recall(environ, sandbox) is None
        and all(each.sandbox != sandbox for each in given_rights.entries(environ))
        and not given_rights.unreadable(environ)
    ):
        return Outcome(sandbox, False)
    outcome = _follow(sandbox, environ, connect)
    return _with_open(outcome, given_rights.recall(environ, sandbox), environ)


def _with_open(outcome: Outcome, given: GivenRights | None, environ: Mapping[str, str]) -> Outcome:
    """`outcome` of a sandbox whose container may run, with an open network that nothing but its end takes back."""
    from sandboxd.project.rights import why_not_open

    if outcome.is_followed or outcome.problem or outcome.ended:
        return outcome
    if not (why := why_not_open(given, outcome.sandbox, environ)):
        return outcome
    problem = f"its network is open until it ends, and {why}"
    return outcome._replace(problem=problem, hint="`sandboxd down` in its folder ends it")


def _unrecorded(
    environ: Mapping[str, str],
    connect: Callable[[Mapping[str, str]], Engine],
    workspace: str,
    known: frozenset[str],
) -> tuple[Outcome, ...]:
    """The outcomes where a record cannot be read: of the sandboxes on the caller's engine, each of which gets a new record
    by being followed, and of the records that are left, which may be of any other engine.

    :param known: the sandboxes whose record was read
    """
    if not given_rights.unreadable(environ):
        return ()
    outcomes, running, silent = [], [], ""
    try:
        running = connect(environ).containers(EGRESS, every=False)
    except SandboxdError as error:
        silent = f"; {error.message}"
    for sandbox in dict.fromkeys(each.labels.get(PROJECT, "") for each in running):
        if sandbox and sandbox not in known and workspace in ("", workspace_of(sandbox)):
            outcomes.append(_follow(sandbox, environ, lambda: connect(environ)))
    for path in given_rights.unreadable(environ):
        problem = f"this record cannot be read, and nobody knows which sandbox it is about{silent}"
        hint = "correct its permissions; or end all sandboxes by `sandboxd down`, and remove it"
        outcomes.append(Outcome(path, False, problem, hint))
    return tuple(outcomes)


def _follow(sandbox: str, environ: Mapping[str, str], connect: Callable[[], Engine]) -> Outcome:
    from sandboxd.life.gateway import GatewayGone
    from sandboxd.operations import gateway

    try:
        return Outcome(sandbox, gateway.follow(connect(), sandbox, environ) is not None)
    except GatewayGone:
        return Outcome(sandbox, False)
    except SandboxdError as error:
        has_less = not gateway.leaves_too_much(error)
        return Outcome(sandbox, False, error.message, error.hint, has_less)


class _Place:
    """Where the sandbox of a record runs, as seen from the caller's environment."""

    def __init__(self, record: Entry, present: Identity, base: Mapping[str, str]) -> None:
        self.record = record
        self.engine = None if _is_of(record, present) else record.engine
        """Another engine than the caller's; None for that one."""
        self.environ = base
        if self.engine is not None:
            self.environ = self.engine.with_agent_of(base).environ(base)

    def outcome(self, outcome: Outcome) -> Outcome:
        """`outcome`, with the engine, what is still given there, and the command that goes on."""
        engine = self.engine
        if engine is not None:
            command = f"{engine.before_command()} sandboxd status"
            hint = (
                f"{outcome.hint}; then `{command}` in its folder tries again; if that engine is gone "
                f"for good, `{command_for_gone(engine.address)}`"
            )
            outcome = outcome._replace(engine=engine.address, hint=outcome.problem and hint)
        return outcome._replace(last=_last(self) if outcome.behind else ())


def _is_of(record: Entry, engine: Identity) -> bool:
    return record.engine is None or record.engine.address == engine.address


def _last(place: _Place) -> tuple[str, ...]:
    given = place.record.given
    policy = given.gateway if given is not None else None
    if policy is None:
        return ()
    names = (str(rule.pattern) for rule in policy.rules)
    return tuple(dict.fromkeys((*(label for label, _ in policy.credentials), *names)))


def _follow_record(place: _Place, connect: Callable[[Mapping[str, str]], Engine]) -> Outcome:
    record = place.record
    outcome = _follow(record.sandbox, place.environ, lambda: connect(place.environ))
    if not outcome.is_followed and not outcome.problem:
        look = _look_for if record.engine is None else _forget_ended
        outcome = look(place, lambda: connect(place.environ))
    given = given_rights.recall(place.environ, record.sandbox, record.container)
    return place.outcome(_with_open(outcome, given, place.environ))


def _forget_ended(place: _Place, connect: Callable[[], Engine]) -> Outcome:
    """The outcome for a sandbox that does not run there; its record is removed if its container is gone."""
    record = place.record
    outcome = Outcome(record.sandbox, False)
    try:
        is_ended = forget_ended(connect(), place.environ, record)
    except SandboxdError as error:
        hint = error.hint
        if place.engine is None and record.engine is not None:
            hint += (
                f"; if that engine is gone for good, `{command_for_gone(record.engine.address)}`"
            )
        return outcome._replace(problem=error.message, hint=hint)
    return outcome._replace(ended=record.container) if is_ended else outcome


def _look_for(place: _Place, connect: Callable[[], Engine]) -> Outcome:
    """The outcome for a sandbox that does not run here, by a record that does not say on which engine it does."""
    from sandboxd.life import find

    record = place.record
    outcome = Outcome(record.sandbox, False)
    try:
        known = [each.id for each in find.sandboxes_of(connect(), record.sandbox)]
    except SandboxdError as error:
        return outcome._replace(problem=error.message, hint=error.hint)
    if not record.container or record.container in known:
        return outcome
    return outcome._replace(
        problem=f"its container `{record.container[:12]}` is not on this engine, and an older version "
        "of sandboxd did not note on which it is",
        hint="run the same command with the `DOCKER_CONTEXT` or `DOCKER_HOST` of its engine; if it runs "
        "nowhere, `sandboxd down` in its folder",
    )


def _silent(place: _Place) -> Outcome:
    return place.outcome(
        Outcome(
            place.record.sandbox,
            False,
            f"its engine or its gateway does not answer: waited {_LONGEST_SECONDS:g} s",
            "`sandboxd down` in its folder ends it",
        )
    )
