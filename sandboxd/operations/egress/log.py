"""The names that a sandbox tried to reach, was denied, and asked for."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, NamedTuple

from sandboxd.egress.ledger import Totals
from sandboxd.errors import EnvironmentFailure
from sandboxd.operations.egress import _project
from sandboxd.operations.egress.gateways import none_runs

if TYPE_CHECKING:
    from collections.abc import Mapping

    from sandboxd.egress.ledger import Question
    from sandboxd.operations.egress.gateways import FindGateway, Gateway


class LogRow(NamedTuple):
    """A line of the ledger with what it means. `name` and `detail` are hostile text."""

    outcome: str
    """``denied`` or ``reached``."""
    name: str
    port: int
    """0 where only the name was looked up."""
    door: str
    reason: str
    words: str
    rule: str
    detail: str
    times: int
    first: float
    last: float
    command: str
    """The command that would allow it; '' where none does, or where it is allowed by now."""


class Log(NamedTuple):
    """The lines of the record, the latest last, from the start of the gateway on."""

    workspace: str
    is_running: bool
    rows: tuple[LogRow, ...] = ()
    questions: tuple[Question, ...] = ()
    """Those that wait for a person; `name` and `why` are hostile text."""
    totals: Totals = Totals()
    number: int = 0
    """Of the last event: a log with the same number says the same."""
    mode: str = "allow"
    """The network that the project is to have now; with ``none`` or ``open`` the gateway is one of before."""


def log(
    directory: str, environ: Mapping[str, str], *, name: str = "", find: FindGateway = none_runs
) -> Log:
    """The log of the sandbox `name` that runs for the project that `directory` lies in.

    Where the project is to have no gateway any more, nothing in it can be answered: it has no command and
    no question.

    :param find: the gateway of that sandbox
    :raises UsageError: the config is not valid, or the project has no gateway and none of before runs
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
        rights.mode,
    )


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
