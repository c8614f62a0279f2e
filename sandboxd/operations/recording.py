"""Entries of operations in the user's audit record; each returns '', or for a person why it is not recorded.

`sandbox` is the identity of the sandbox that an entry is of (`model.sandbox_id`): its name is a fact of the entry.
Without a name there is no such fact.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from sandboxd.audit import notes
from sandboxd.model.sandbox_id import name_of, workspace_of

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping, Sequence

    from sandboxd.audit.entry import Kind
    from sandboxd.egress.ledger import Ledger, Totals
    from sandboxd.errors import SandboxdError
    from sandboxd.host.facts import HostFacts
    from sandboxd.life.starting import Running
    from sandboxd.observe.drift import Drift
    from sandboxd.plan.plan import Plan
    from sandboxd.ssh_agent.verdict import Verdict as LoginVerdict
    from sandboxd.verify.verdict import Verdict

_MOST_NAMES = 50


def before_weak_start(environ: Mapping[str, str], sandbox: str) -> None:
    """Record that the user lets hardened runc run what needs gVisor.

    :raises RecordFailure: it cannot be recorded, so nothing may start that way
    """
    notes.require(
        environ, "weakened", workspace_of(sandbox), **name_fact(sandbox), by_option="--allow-runc"
    )


def before_variables(environ: Mapping[str, str], sandbox: str, names: Collection[str]) -> None:
    """Record the names of variables whose values the user gives a sandbox from a file of their own.

    :raises RecordFailure: they cannot be recorded, so they must not be given
    """
    notes.require(
        environ, "variables", workspace_of(sandbox), **name_fact(sandbox), names=sorted(names)
    )


def before_widening(
    environ: Mapping[str, str], sandbox: str, names: Collection[str], credentials: Collection[str]
) -> None:
    """Record what a running sandbox is to be given beyond what it has, where no answer of a person gives it.

    :raises RecordFailure: it cannot be recorded, so it must not be given
    """
    notes.require(
        environ,
        "widened",
        workspace_of(sandbox),
        **name_fact(sandbox),
        names=list(names),
        credentials=list(credentials),
    )


def before_forward(
    environ: Mapping[str, str], sandbox: str, address: str, ports: Collection[str]
) -> None:
    """Record that others than this machine are to reach ports of a sandbox.

    :raises RecordFailure: it cannot be recorded, so nothing must listen there
    """
    notes.require(
        environ,
        "forward",
        workspace_of(sandbox),
        **name_fact(sandbox),
        address=address,
        ports=list(ports),
    )


def before_copy(environ: Mapping[str, str], workspace: str, path: str, digest: str) -> None:
    """Record that a file that tools on the host act upon is copied out of a sandbox, as it was named.

    :raises RecordFailure: it cannot be recorded, so it must not be written
    """
    notes.require(environ, "review", workspace, files={path: digest}, by_way_of="cp")


def started(
    environ: Mapping[str, str],
    plan: Plan,
    facts: HostFacts,
    running: Running,
    missing: Collection[str] = (),
) -> str:
    """Record that a sandbox runs as planned.

    :param missing: the credentials that it starts without
    """
    from sandboxd.model.labels import PLAN

    inspected = running.inspected
    labels = (inspected.get("Config") or {}).get("Labels") or {}
    known = facts.engine
    default = (known.default_runtime or "") if known is not None else ""
    name = (plan.container.runtime.value if plan.container.runtime else "") or default
    builds = {each.name: each.version for each in known.runtimes} if known is not None else {}
    return _note(
        environ,
        "start",
        plan.sandbox,
        how=running.how,
        profile=plan.profile,
        runtime=name,
        runtime_build=builds.get(name) or "",
        container=running.id,
        image=str(inspected.get("Image", "")),
        plan=str(labels.get(PLAN, "")),
        not_in_force=[downgrade.control for downgrade in plan.downgrades_of_up()],
        credentials=[str(u.name) for u in plan.credentials if str(u.name) not in missing],
    )


def refused(environ: Mapping[str, str], sandbox: str, error: SandboxdError) -> str:
    """Record that a sandbox was not started, since its config is not valid or not granted."""
    return _note(environ, "refused", sandbox, why=error.message)


def stopped(
    environ: Mapping[str, str],
    sandbox: str,
    removed: Sequence[str],
    discarded: bool,
    ledger: Ledger | None,
) -> str:
    """Record that a sandbox was removed.

    :param ledger: the record of its gateway; None where it had none, or did not answer
    """
    problem = ""
    if ledger is not None:
        denied = {f"{each.name}:{each.port}" for each in ledger.lines() if each.outcome == "denied"}
        reached = {
            f"{each.name}:{each.port}" for each in ledger.lines() if each.outcome == "reached"
        }
        problem = _note(
            environ,
            "network",
            sandbox,
            totals=ledger.totals._asdict(),
            reached=sorted(reached)[:_MOST_NAMES],
            denied=sorted(denied)[:_MOST_NAMES],
        )
        problem = problem or _credentials(environ, sandbox, ledger)
    if not removed:
        return problem
    return problem or _note(environ, "stop", sandbox, removed=list(removed), discarded=discarded)


def _credentials(environ: Mapping[str, str], sandbox: str, ledger: Ledger) -> str:
    """Record each credential that was used, by its service; the secret is not known here."""
    for line in ledger.credentials.values():
        problem = _note(
            environ,
            "credential",
            sandbox,
            service=line.service,
            used=line.used,
            rejected=line.rejected,
            refused=line.refused,
            failed=line.failed,
        )
        if problem:
            return problem
    return ""


def signed(environ: Mapping[str, str], sandbox: str, verdict: LoginVerdict, count: int) -> str:
    """Record logins by SSH of one kind that a sandbox asked for: signed, or refused and why."""
    return _note(
        environ,
        "login",
        sandbox,
        outcome=f"refused: {verdict.why}" if verdict.why else "signed",
        host=verdict.host,
        key=verdict.key,
        count=count,
    )


def verified(environ: Mapping[str, str], sandbox: str, verdict: Verdict) -> str:
    """Record that a sandbox was attacked."""
    outcomes = [result.outcome for result in verdict.results]
    return _note(
        environ,
        "verify",
        sandbox,
        held=verdict.held,
        container=verdict.container,
        runtime=verdict.runtime,
        outcomes={outcome: outcomes.count(outcome) for outcome in sorted(set(outcomes))},
        escaped=[result.id for result in verdict.of("escaped")],
    )


def drifted(
    environ: Mapping[str, str], sandbox: str, container: str, differences: Sequence[Drift]
) -> str:
    """Record that a sandbox differs from its plan; nothing where it does not."""
    if not differences:
        return ""
    return _note(
        environ,
        "drift",
        sandbox,
        container=container,
        differences=[
            f"{each.control}: planned {each.planned}, found {each.live}" for each in differences
        ],
    )


def tripped(environ: Mapping[str, str], sandbox: str, name: str, port: int, detail: str) -> str:
    """Record that something inside used a name, or sent a token to it, that no program has a reason to use."""
    return _note(environ, "tripwire", sandbox, name=name, port=port, detail=detail)


def lost(environ: Mapping[str, str], sandbox: str, totals: Totals) -> str:
    """Record that a gateway or its listener could not report every attempt: something may be hidden so."""
    return _note(
        environ,
        "attempts-lost",
        sandbox,
        lost=totals.lost,
        reached=totals.lost_reached,
        tripwires=totals.lost_tripwires,
    )


def name_fact(sandbox: str) -> dict[str, str]:
    """The fact that tells a sandbox from others of its project; none for the one without a name."""
    name = name_of(sandbox)
    return {"sandbox": name} if name else {}


def _note(environ: Mapping[str, str], kind: Kind, sandbox: str, **facts: Any) -> str:
    return notes.note(environ, kind, workspace_of(sandbox), **name_fact(sandbox), **facts)
