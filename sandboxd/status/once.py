"""`status` without a daemon: examines the project of the current folder once."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from sandboxd.egress.ledger import Ledger
from sandboxd.engine.client import connect_from
from sandboxd.errors import DaemonError, SandboxdError
from sandboxd.exchange import waiting_refs
from sandboxd.host.facts import HostFacts
from sandboxd.host.probe import probe
from sandboxd.life import running_gateway
from sandboxd.model.sandbox_id import workspace_of
from sandboxd.project import Project
from sandboxd.project.here import folders_above, sessions, workspace_of_folder
from sandboxd.state import measurement
from sandboxd.status.combine import BEGIN, Examined, combine
from sandboxd.status.examine import examine
from sandboxd.status.hooks import hooks_now
from sandboxd.status.model import DaemonLine, StatusReport
from sandboxd.status.names_now import names_now
from sandboxd.status.observe import Observed, Observer
from sandboxd.sync import words

KEEPS = "`sandboxd daemon start` keeps the generated files up to date"
UNWATCHED = (
    "no daemon runs, so what the host replaces of what is shut inside is open until the next command: "
    "`sandboxd daemon start` halts at once"
)


def look_once(
    environ: Mapping[str, str],
    cwd: str,
    now: float,
    problem: DaemonError | None = None,
    follow: Callable[[str], str] = lambda _sandbox: "",
) -> StatusReport:
    """Make the report.

    :param now: seconds since 1970
    :param problem: why a daemon could not be asked; None if there is none
    :param follow: called with the sandbox's identity, to make its gateway enforce the present rights before it is
        shown; returns the reason if that is not known, or ''
    """
    # Nobody waits here for what a build of gVisor holds: `up`, `generate` and `doctor` try it.
    facts = probe(environ, trial=True, premises="remembered")
    rows = []
    workspace, observed = _look_around(environ, cwd, facts)
    if workspace is not None:
        behind = _follow(workspace, observed, follow)
        examined = _examine(workspace, environ, facts)
        ledger = _ledger(workspace, environ, observed)
        names = names_now(environ, workspace, examined, ledger, now, behind)
        hooks = hooks_now(environ, workspace, examined, observed)
        measured = measurement.recall(environ, workspace)
        own = sessions(environ, workspace)
        row = combine(
            workspace,
            examined,
            observed,
            names,
            hooks,
            measured=measured,
            sessions=own,
            unwatched=UNWATCHED,
        )
        rows.append(
            row._replace(
                waiting=waiting_refs.lines(workspace, environ),
                copy=words.lines(environ, workspace) if row.state == "running" else (),
            )
        )
    hint = BEGIN if workspace is None else KEEPS
    daemon = DaemonLine(
        running=False,
        problem=problem.message if problem is not None else "this is a single look",
        hint=problem.hint if problem is not None else hint,
    )
    return StatusReport(daemon, facts, tuple(rows), here=rows[0].path if rows else "")


def _look_around(
    environ: Mapping[str, str], cwd: str, facts: HostFacts
) -> tuple[str | None, Observed]:
    """The workspace of `cwd`, and its sandboxes; without any config, the nearest folder that has some."""
    workspace = workspace_of_folder(cwd, environ)
    engine = facts.engine
    if engine is not None and engine.error:
        return workspace, Observed({}, engine.error, engine.hint)
    if workspace is not None:
        return workspace, Observer().observe(environ, (workspace,))
    above = tuple(folders_above(cwd))
    observed = Observer().observe(environ, above)
    used = {workspace_of(identity) for identity in observed.containers}
    return next((path for path in above if path in used), None), observed


def _follow(workspace: str, observed: Observed, follow: Callable[[str], str]) -> str:
    """Have its sandboxes that run have what they may have now; the first reason why that is not known of one, or ''."""
    running = [each for each in observed.containers if workspace_of(each) == workspace]
    problems = [follow(sandbox) for sandbox in running]
    return next(filter(None, problems), "")


def _ledger(workspace: str, environ: Mapping[str, str], observed: Observed) -> Ledger | None:
    """The record of a running sandbox's gateway; None where none answers, which its control then shows."""
    if workspace not in observed.containers:
        return None
    try:
        gateway = running_gateway.gateway_of(connect_from(environ), workspace)
        return gateway.ledger() if gateway is not None else None
    except SandboxdError:
        return None


def _examine(workspace: str, environ: Mapping[str, str], facts: HostFacts) -> Examined:
    """Examine the project, and whether its generated files are up to date: no daemon updates them."""
    examined = examine(workspace, environ, facts)
    if examined.request is None:
        return examined
    try:
        states = Project.open(workspace, environ).compare(facts)
    except SandboxdError as error:
        return examined._replace(problem=error.message, hint=error.hint)
    # A project that is only started by `up` has no generated files, so none can be late.
    is_generated = any(state.before is not None for state in states)
    is_stale = is_generated and not all(state.is_current for state in states)
    return examined._replace(stale=is_stale)
