"""Deny a name, or take an answer back."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, NamedTuple

from sandboxd.errors import UsageError
from sandboxd.operations.egress import _project
from sandboxd.operations.egress._target import name
from sandboxd.operations.egress.gateways import none_runs

if TYPE_CHECKING:
    from collections.abc import Mapping

    from sandboxd.operations.egress.gateways import FindGateway


class Denied(NamedTuple):
    """A denial that was given, or answers that were taken back; `name` is the pattern."""

    workspace: str
    name: str
    taken_back: int
    """Answers about the same name that ended by it."""
    is_live: bool
    """Whether a running gateway has it."""
    unasked: str
    """The reason why it is not known whether one runs, '' where it is."""
    problem: str
    """The reason why it is not recorded, '' where it is."""


def deny(
    directory: str,
    environ: Mapping[str, str],
    text: str,
    *,
    undo: bool = False,
    by: str = "shell",
    find: FindGateway = none_runs,
) -> Denied:
    """Deny `text`, at every port and without an end, in the project that `directory` lies in.

    Open connections to it end. What the plan allows is denied as well.

    :param undo: take back the answers about the name, allowed or denied
    :raises UsageError: it is no name, or there is nothing to take back
    """
    from sandboxd.egress.approvals import Approval
    from sandboxd.policy import approvals

    now = time.time()
    project = _project.open_project(directory, environ, now)
    meant = name(text)
    gone, problem = approvals.remove(
        environ, project.workspace, now, lambda answer: answer.pattern == meant
    )
    if undo and not gone:
        raise UsageError(
            f"nothing was answered about `{meant}`",
            "`sandboxd egress list` has the answers",
        )
    if not undo:
        approval = Approval(meant, (), False, now, by)
        problem = approvals.add(environ, project.workspace, approval) or problem
    gateway, unasked = _project.running(project, environ, find)
    if gateway is not None and not undo:
        for question in gateway.ledger().questions(project.planned, now):
            if meant.matches(question.name):
                gateway.answer(question.id, "a person said no")
    is_live = _project.follow(gateway)
    return Denied(project.workspace, str(meant), len(gone), is_live, unasked, problem)
