"""The names that a sandbox tried to reach, was denied, and asked for."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, NamedTuple

from sandboxd.egress.ledger import Totals
from sandboxd.operations.egress import _project
from sandboxd.operations.egress.gateways import none_runs

if TYPE_CHECKING:
    from collections.abc import Mapping

    from sandboxd.egress.ledger import Question
    from sandboxd.operations.egress.gateways import FindGateway


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


def log(
    directory: str, environ: Mapping[str, str], *, name: str = "", find: FindGateway = none_runs
) -> Log:
    """The log of the sandbox `name` that runs for the project that `directory` lies in.

    :param find: the gateway of that sandbox
    """
    from sandboxd.egress import words
    from sandboxd.egress.policy import Decider

    now = time.time()
    project = _project.open_project(directory, environ, now, name)
    gateway = find(project.workspace)
    if gateway is None:
        return Log(project.workspace, False)
    policy = project.policy
    decider, ledger = Decider(policy), gateway.ledger()
    rows = []
    for line in ledger.lines():
        command = words.command(line.name, line.port, line.reason)
        if command and decider.decide(line.name, line.port, now).allowed:
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
    questions = ledger.questions(policy, now)
    return Log(project.workspace, True, tuple(rows), questions, ledger.totals, ledger.last_number)
