"""Examines a project's files on this host: its plan, and the findings in its configs."""

from __future__ import annotations

import os
from collections.abc import Mapping
from typing import Any

from sandboxd.errors import SandboxdError, UsageError
from sandboxd.findings import Severity
from sandboxd.host.facts import HostFacts
from sandboxd.life import granted as started
from sandboxd.lint.linter import Linter
from sandboxd.observe.inspection import requested
from sandboxd.plan.floor import loosened
from sandboxd.plan.grants import Grants
from sandboxd.plan.plan import Plan
from sandboxd.plan.reasons import Downgrade
from sandboxd.plan.remote import ports_left, ports_of
from sandboxd.plan.writers.engine import arguments
from sandboxd.policy import trust as grants
from sandboxd.policy.in_force import in_force
from sandboxd.project import Project
from sandboxd.status.combine import Examined, GrantedPlan
from sandboxd.status.model import Counts, Trust

# A larger tree is searched in part, and the report says so: the daemon looks after each save.
_MOST_ENTRIES = 20_000


def examine(path: str, environ: Mapping[str, str], facts: HostFacts) -> Examined:
    """Examine the project in the folder `path`. It writes nothing, and never raises because of the content."""
    if not os.path.isdir(path):
        return Examined(exists=False)
    try:
        project = Project.open(path, environ)
    except SandboxdError as error:
        return examine_unread(path, environ, facts, error)
    return examine_open(project, environ, facts)


def examine_unread(
    path: str, environ: Mapping[str, str], facts: HostFacts, error: SandboxdError
) -> Examined:
    """The result for a project whose config cannot be read; `error` says why."""
    counts = count(path, environ, facts)
    return Examined(valid=False, counts=counts, problem=error.message, hint=error.hint)


def examine_open(
    project: Project, environ: Mapping[str, str], facts: HostFacts, plan: Plan | None = None
) -> Examined:
    """The result for a project whose config was read already.

    :param plan: its plan, if that was made from the present files already; else None
    """
    counts = count(project.workspace, environ, facts)
    profile = project.config.profile.value
    trust, choices = _trust(project, environ, facts)
    granted = _granted_plan(project, environ, facts)
    try:
        if plan is None and _is_bare(project):
            return Examined(counts=counts, is_bare=True)
        examined = from_plan(plan or project.plan(facts), counts)
    except SandboxdError as error:
        return Examined(
            valid=not isinstance(error, UsageError),
            profile=profile,
            counts=counts,
            problem=error.message,
            hint=error.hint,
            trust=trust,
            granted_choices=choices,
            granted=granted,
            digest=project.config.digest,
        )._replace(**_names_without_plan(project))
    digest = project.config.digest
    return examined._replace(trust=trust, granted_choices=choices, granted=granted, digest=digest)


def _is_bare(project: Project) -> bool:
    return project.config.path is None and project.base() is None


def _names_without_plan(project: Project) -> dict[str, Any]:
    """The names that a gateway of `project` allows even where there is no plan, e.g. without trust."""
    try:
        network = project.network(in_force(project.environ))
    except SandboxdError:
        return {}
    return {"egress": network.policy, "uses": network.uses}


def _granted_plan(
    project: Project, environ: Mapping[str, str], facts: HostFacts
) -> GrantedPlan | None:
    """The plan by which the last container was started; None where that needed no grant."""
    record = started.recall(environ, project.workspace)
    if record is None:
        return None
    try:
        plan = from_plan(project.plan(facts, Grants(allow_runc=True)), None)
    except SandboxdError:
        return None
    assert plan.request is not None
    return GrantedPlan(record.container, plan.request, plan.downgrades)


def _trust(
    project: Project, environ: Mapping[str, str], facts: HostFacts
) -> tuple[Trust | None, tuple[str, ...]]:
    """The user's grant for what the config of `project` cannot choose alone, and what that is."""
    name = project.config.profile.value
    try:
        choices = loosened(project.profile, project.config, facts, project.hosts())
        if grants.is_granted(environ, project.workspace, project.config.digest, name):
            return "in force", choices
        if not choices:
            return "not needed", ()
        mine = [g for g in grants.grants(environ) if g.workspace == project.workspace]
    except SandboxdError:
        return None, ()
    return ("outdated" if any(g.profile != grants.BUILD for g in mine) else "none"), ()


def from_plan(plan: Plan, counts: Counts | None) -> Examined:
    """The result for a project that has a plan.

    :param counts: the findings in its files; None if they were not checked
    """
    return Examined(
        profile=plan.profile,
        request=requested(arguments(plan)),
        downgrades=tuple(f"{item.control}: {item.why}" for item in _shown(plan)),
        counts=counts,
        egress=plan.egress,
        uses=plan.credentials,
        editors_request=requested(arguments(plan.of_other_tools()))
        if plan.lasting or plan.synced
        else None,
        ports=ports_of(plan) if plan.runs_hooks else (),
        ports_left=ports_left(plan),
        hooks_refused=tuple(f"not run: {item.item}: {item.why}" for item in plan.hooks_refused),
    )


def _shown(plan: Plan) -> tuple[Downgrade, ...]:
    """The downgrades to show: most of a mount of the folder do not hold for a copy that is kept the same."""
    return plan.downgrades if plan.synced is None else plan.downgrades_of_up()


def count(workspace: str, environ: Mapping[str, str], facts: HostFacts) -> Counts:
    """The numbers of findings, by severity, that `sandboxd check` has in `workspace`."""
    numbers = dict.fromkeys(Severity, 0)
    report = Linter(environ, facts).check_tree(workspace, _MOST_ENTRIES)
    for finding in report.findings:
        if finding.suppressed is None:
            numbers[finding.severity] += 1
    return Counts(
        numbers[Severity.ERROR],
        numbers[Severity.WARNING],
        numbers[Severity.HINT],
        len(report.skipped),
    )
