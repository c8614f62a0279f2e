"""The rules about names that hold for a project, each with its source."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, NamedTuple

from sandboxd.operations.egress import _by_credential, _project

if TYPE_CHECKING:
    from collections.abc import Mapping


class RuleRow(NamedTuple):
    """One rule. `ports` is () for a denial, which applies to every port."""

    name: str
    ports: tuple[int, ...]
    answer: str
    """``allow`` or ``deny``."""
    source: str
    private: bool
    until: float
    """When the rule ends, in seconds since 1970; 0 if it does not end."""
    once: bool
    by: str
    """Where the user gave this answer, such as ``shell``; '' for a rule of the plan."""
    obstacle: str
    """The reason why an approval has no effect; '' if it has."""


class CredentialRow(NamedTuple):
    """A host that is reached only by requests with a credential. It is not a rule: other connections to it are not
    allowed.
    """

    name: str
    port: int
    credential: str
    requests: str
    """The methods and paths that are let through, in words."""
    reason: str
    """The verdict about a connection without the credential, an `egress.policy.Reason`; denials and tripwires apply to
    both.
    """


class Rules(NamedTuple):
    """All rules of a project; denials come first, as they override the others."""

    workspace: str
    rows: tuple[RuleRow, ...]
    tripwire: str
    """A host name that no program has a reason to use, so that its use raises an alert; '' without one."""
    now: float
    problem: str
    """The reason why names in sandboxd.toml are not in force; '' if all are."""
    credentials: tuple[CredentialRow, ...]
    """The hosts of the credentials in use."""


def rules(directory: str, environ: Mapping[str, str], name: str = "") -> Rules:
    """The rules of the plan, and the user's approvals, for the project that `directory` lies in.

    :param name: the name of the sandbox, since an agent's session has its own plan; '' for the unnamed one
    """
    from sandboxd.egress.approvals import SOURCE, obstacle
    from sandboxd.policy import approvals

    now = time.time()
    project = _project.open_project(directory, environ, now, name)
    planned = project.planned
    limits = project.limits
    answers = approvals.of_project(environ, project.workspace, now)
    denied = [
        RuleRow(str(pattern), (), "deny", "policy", False, 0.0, False, "", "")
        for pattern in planned.denied
    ]
    denied += [
        RuleRow(str(answer.pattern), (), "deny", SOURCE, False, answer.until, False, answer.by, "")
        for answer in answers
        if not answer.allows
    ]
    allowed = [
        RuleRow(
            str(rule.pattern), rule.ports, "allow", rule.source, rule.private, rule.until,
            bool(rule.once), "", "",
        )
        for rule in planned.rules
    ]  # fmt: skip
    allowed += [
        RuleRow(
            str(answer.pattern), answer.ports, "allow", SOURCE, False, answer.until,
            bool(answer.once), answer.by, obstacle(planned, answer.pattern, answer.ports, limits),
        )
        for answer in answers
        if answer.allows
    ]  # fmt: skip
    tripwire = planned.canaries[0] if planned.canaries else ""
    return Rules(
        project.workspace,
        (*denied, *allowed),
        tripwire,
        now,
        project.problem,
        _credential_rows(project, now),
    )


def _credential_rows(project: _project.ProjectWithGateway, now: float) -> tuple[CredentialRow, ...]:
    from sandboxd.egress.policy import Decider

    decider = Decider(project.policy)
    return tuple(
        CredentialRow(*host, decider.decide(host.name, host.port, now).reason)
        for host in _by_credential.hosts(project.config, project.policy)
    )
