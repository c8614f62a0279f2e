"""Deny a name, or withdraw an earlier answer."""

from __future__ import annotations

import contextlib
import os
import time
from typing import TYPE_CHECKING, NamedTuple

from sandboxd.errors import EnvironmentFailure, UsageError
from sandboxd.operations.egress import _project
from sandboxd.operations.egress._target import name
from sandboxd.operations.egress.gateways import none_runs
from sandboxd.operations.given_records import folder_of

if TYPE_CHECKING:
    from collections.abc import Mapping

    from sandboxd.egress.names import Pattern
    from sandboxd.egress.policy import Policy
    from sandboxd.operations.egress.gateways import FindGateway, Gateway


class Denied(NamedTuple):
    """A denial that was given, or answers that were withdrawn; `name` is the pattern."""

    workspace: str
    name: str
    taken_back: int
    """The number of earlier answers about the same name that this one ended."""
    is_live: bool
    """Whether a running gateway enforces it."""
    sandboxes: tuple[str, ...]
    """The names of the running sandboxes in which it is in force, '' for the unnamed one."""
    unasked: str
    """The reason why it is not known whether a gateway runs; '' if it is known."""
    problem: str
    """The reason why it is not in the audit record; '' if it is."""


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

    Open connections to it are closed. A denial also overrides what the plan allows.

    :param undo: withdraw the answers about the name instead, whether they allowed or denied it
    :param by: where the answer was given, such as ``shell``
    :raises UsageError: it is not a valid name, or there is no answer to withdraw
    """
    from sandboxd.egress.approvals import Approval
    from sandboxd.policy import approvals

    now = time.time()
    meant = name(text)
    workspace, planned = _denied_in(directory, environ, now, find)
    if undo:
        gone, problem = approvals.remove(
            environ, workspace, now, lambda answer: answer.pattern == meant
        )
    else:
        answers = approvals.of_project(environ, workspace, now, with_used=True)
        gone = tuple(answer for answer in answers if answer.pattern == meant)
        # It replaces them by one save: whoever is killed in between two leaves neither.
        problem = approvals.add(environ, workspace, Approval(meant, (), False, now, by))
    gateway, unasked = _project.find_gateway(workspace, find)
    # Before all else that is asked of it: whoever waits inside is also answered by its new policy.
    sandboxes = _project.follow(gateway)
    if undo and not gone:
        # Only now: the answer may have been withdrawn by a command that was stopped before the gateway had it.
        raise UsageError(
            f"nothing was answered about `{meant}`",
            "`sandboxd egress list` has the answers",
        )
    if gateway is not None:
        with contextlib.suppress(EnvironmentFailure):
            if _project.note_used(gateway, workspace, environ):
                gateway.follow()
            if not undo and planned is not None:
                _answer(gateway, meant, planned, now)
    return Denied(workspace, str(meant), len(gone), bool(sandboxes), sandboxes, unasked, problem)


def _denied_in(
    directory: str, environ: Mapping[str, str], now: float, find: FindGateway
) -> tuple[str, Policy | None]:
    """The project that `directory` lies in, and its policy; None where that cannot be read, or is to have no gateway, and
    one runs: a denial only takes away.

    :raises UsageError: none runs
    """
    try:
        project = _project.open_project(directory, environ, now)
    except UsageError:
        workspace = os.path.realpath(folder_of(directory, environ))
        if _project.find_gateway(workspace, find) == (None, ""):
            raise
        return workspace, None
    return project.workspace, project.planned


def _answer(gateway: Gateway, denied: Pattern, planned: Policy, now: float) -> None:
    """Say no to the programs inside that wait for a name that was denied."""
    for question in gateway.ledger().questions(planned, now):
        if denied.matches(question.name):
            gateway.answer(question.id, "a person said no")
