"""`status` without a daemon: look once at the project of the current folder."""

from __future__ import annotations

import os
from collections.abc import Mapping

from sandboxd.config.reading import nearest
from sandboxd.egress.ledger import Ledger
from sandboxd.engine.client import connect_from
from sandboxd.errors import DaemonError, SandboxdError
from sandboxd.host import measurement
from sandboxd.host.facts import HostFacts
from sandboxd.host.probe import probe
from sandboxd.life import running_gateway
from sandboxd.project import Project
from sandboxd.status.combine import Examined, combine
from sandboxd.status.examine import examine
from sandboxd.status.hooks import hooks_now
from sandboxd.status.model import DaemonLine, StatusReport
from sandboxd.status.names_now import names_now
from sandboxd.status.observe import Observed, Observer

BEGIN = "`sandboxd init` writes a first config"
KEEPS = "`sandboxd daemon start` keeps the generated files up to date"


def look_once(
    environ: Mapping[str, str], cwd: str, now: float, problem: DaemonError | None = None
) -> StatusReport:
    """The report; `problem` says why a daemon could not be asked, None when there is none.

    :param now: seconds since 1970
    """
    # Nobody waits here for what a build of gVisor holds: `up`, `generate` and `doctor` try it.
    facts = probe(environ, trial=True, premises="remembered")
    config = nearest(cwd)
    rows = []
    if config is not None:
        workspace = os.path.realpath(os.path.dirname(config))
        engine = facts.engine
        if engine is not None and engine.error:
            observed = Observed({}, engine.error, engine.hint)
        else:
            observed = Observer().observe(environ, (workspace,))
        examined = _examine(workspace, environ, facts)
        ledger = _ledger(workspace, environ, observed)
        names = names_now(environ, workspace, examined.egress, ledger, now)
        hooks = hooks_now(environ, workspace, examined, observed)
        measured = measurement.recall(environ, workspace)
        rows.append(combine(workspace, examined, observed, names, hooks, measured=measured))
    hint = BEGIN if config is None else KEEPS
    daemon = DaemonLine(
        running=False,
        problem=problem.message if problem is not None else "this is a single look",
        hint=problem.hint if problem is not None else hint,
    )
    return StatusReport(daemon, facts, tuple(rows), here=rows[0].path if rows else "")


def _ledger(workspace: str, environ: Mapping[str, str], observed: Observed) -> Ledger | None:
    """The record of a running sandbox's gateway; None where none answers, as its control then says."""
    if workspace not in observed.containers:
        return None
    try:
        gateway = running_gateway.gateway_of(connect_from(environ), workspace)
        return gateway.ledger() if gateway is not None else None
    except SandboxdError:
        return None


def _examine(workspace: str, environ: Mapping[str, str], facts: HostFacts) -> Examined:
    """Examine the project, and whether its generated files are up to date: no daemon keeps them so."""
    examined = examine(workspace, environ, facts)
    if examined.request is None:
        return examined
    try:
        states = Project.open(workspace, environ).compare(facts)
    except SandboxdError as error:
        return examined._replace(problem=error.message, hint=error.hint)
    # Who works by `up` alone has none of them, and none is late.
    is_generated = any(state.before is not None for state in states)
    is_stale = is_generated and not all(state.is_current for state in states)
    return examined._replace(stale=is_stale)
