"""The names that a sandbox reached, was denied, and asked for."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, NamedTuple

from sandboxd.egress.ledger import Totals
from sandboxd.errors import EnvironmentFailure
from sandboxd.operations.egress import _project
from sandboxd.operations.egress.gateways import none_runs

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from sandboxd.egress.ledger import Question
    from sandboxd.egress.policy import Policy
    from sandboxd.egress.traffic import Carried
    from sandboxd.operations.egress.gateways import FindGateway, Gateway


class LogRow(NamedTuple):
    """One line of the gateway's event log, with an explanation. `name` and `detail` are hostile text; times in seconds
    since 1970.
    """

    outcome: str
    """``denied`` or ``reached``."""
    name: str
    port: int
    """0 if the name was only looked up."""
    door: str
    reason: str
    words: str
    rule: str
    detail: str
    times: int
    first: float
    last: float
    command: str
    """The command that would allow it; '' if none would, or if it is allowed by now."""


class Log(NamedTuple):
    """The gateway's event log since it started; the latest row is the last."""

    workspace: str
    is_running: bool
    rows: tuple[LogRow, ...] = ()
    questions: tuple[Question, ...] = ()
    """Requests of programs inside that wait for the user's answer; `name` and `why` are hostile text."""
    totals: Totals = Totals()
    number: int = 0
    """The number of the last event: two logs of one gateway with the same number are equal."""
    carried: tuple[Carried, ...] | None = None
    """The bytes that connections carried, the name that was sent most first; None if its gateway does not count them."""
    mode: str = "allow"
    """The network mode by the present config. With ``none`` or ``open`` the gateway is left from an earlier one."""
    hint: str = ""
    """What to do about allowed names that were not reached; '' for nothing."""


def log(
    directory: str, environ: Mapping[str, str], *, name: str = "", find: FindGateway = none_runs
) -> Log:
    """The log of the running sandbox `name` of the project that `directory` lies in.

    If the present config has no gateway, nothing can be allowed: rows have no command, and there are no questions.

    :param find: returns the gateway of that sandbox
    :raises UsageError: the config is not valid, or it has no gateway and none is left from an earlier config
    """
    from sandboxd.egress import words
    from sandboxd.egress.policy import Decider

    now = time.time()
    project, rights = _project.open_rights(directory, environ, now, name)
    policy = rights.gateway.policy if rights.has_gateway and rights.gateway else None
    gateway = (
        find(project.workspace)
        if policy is not None
        else _of_before(find, project.workspace, rights.mode)
    )
    if gateway is None:
        return Log(project.workspace, False)
    decider, ledger = Decider(policy) if policy is not None else None, gateway.ledger()
    rows = []
    for line in ledger.lines():
        command = words.command(line.name, line.port, line.reason)
        if decider is None or decider.decide(line.name, line.port, now).allowed:
            command = ""
        rows.append(
            LogRow(
                line.outcome,
                line.name,
                line.port,
                words.door(line.door),
                line.reason,
                words.reason(line.reason),
                line.rule,
                line.detail,
                line.times,
                line.first,
                line.last,
                command,
            )
        )
    questions = ledger.questions(policy, now) if policy is not None else ()
    return Log(
        project.workspace,
        True,
        tuple(rows),
        questions,
        ledger.totals,
        ledger.last_number,
        ledger.traffic.by_name(),
        rights.mode,
        _hint(rows, policy),
    )


def _hint(rows: Sequence[LogRow], policy: Policy | None) -> str:
    """The next step for the last name that was allowed and not reached; '' where one was reached since."""
    from sandboxd.egress import words

    has_proxy = policy is not None and policy.upstream is not None
    for row in reversed(rows):
        if row.outcome == "reached":
            break
        if step := words.next_step(row.reason, has_proxy):
            return step
    return ""


def _of_before(find: FindGateway, workspace: str, mode: str) -> Gateway:
    """The gateway that still runs for a project that is to have none.

    :raises UsageError: none runs, or no engine can be asked, and the project is to have none in either case
    """
    try:
        gateway = find(workspace)
    except EnvironmentFailure:
        gateway = None
    if gateway is None:
        raise _project.no_gateway(workspace, mode)
    return gateway
