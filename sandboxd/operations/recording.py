"""Entries of operations in the user's audit record; each returns '', or for a person why it is not recorded."""

from __future__ import annotations

from typing import TYPE_CHECKING

from sandboxd.audit import notes

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping, Sequence

    from sandboxd.egress.ledger import Ledger, Totals
    from sandboxd.errors import SandboxdError
    from sandboxd.host.facts import HostFacts
    from sandboxd.life.starting import Running
    from sandboxd.observe.drift import Drift
    from sandboxd.plan.plan import Plan
    from sandboxd.ssh_agent.verdict import Verdict as LoginVerdict
    from sandboxd.verify.verdict import Verdict

_MOST_NAMES = 50


def before_weak_start(environ: Mapping[str, str], workspace: str) -> None:
    """Record that the user lets hardened runc run what needs gVisor.

    :raises RecordFailure: it cannot be recorded, so nothing may start that way
    """
    notes.require(environ, "weakened", workspace, by_option="--allow-runc")


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
    return notes.note(
        environ,
        "start",
        plan.workspace,
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


def refused(environ: Mapping[str, str], workspace: str, error: SandboxdError) -> str:
    """Record that a sandbox was not started, since its config is not valid or not granted."""
    return notes.note(environ, "refused", workspace, why=error.message)


def stopped(
    environ: Mapping[str, str],
    workspace: str,
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
        problem = notes.note(
            environ,
            "network",
            workspace,
            totals=ledger.totals._asdict(),
            reached=sorted(reached)[:_MOST_NAMES],
            denied=sorted(denied)[:_MOST_NAMES],
        )
        problem = problem or _credentials(environ, workspace, ledger)
    if not removed:
        return problem
    return problem or notes.note(
        environ, "stop", workspace, removed=list(removed), discarded=discarded
    )


def _credentials(environ: Mapping[str, str], workspace: str, ledger: Ledger) -> str:
    """Record each credential that was used, by its service; the secret is not known here."""
    for line in ledger.credentials.values():
        problem = notes.note(
            environ,
            "credential",
            workspace,
            service=line.service,
            used=line.used,
            rejected=line.rejected,
            refused=line.refused,
            failed=line.failed,
        )
        if problem:
            return problem
    return ""


def signed(environ: Mapping[str, str], workspace: str, verdict: LoginVerdict, count: int) -> str:
    """Record logins by SSH of one kind that a sandbox asked for: signed, or refused and why."""
    return notes.note(
        environ,
        "login",
        workspace,
        outcome=f"refused: {verdict.why}" if verdict.why else "signed",
        host=verdict.host,
        key=verdict.key,
        count=count,
    )


def verified(environ: Mapping[str, str], workspace: str, verdict: Verdict) -> str:
    """Record that a sandbox was attacked."""
    outcomes = [result.outcome for result in verdict.results]
    return notes.note(
        environ,
        "verify",
        workspace,
        held=verdict.held,
        container=verdict.container,
        runtime=verdict.runtime,
        outcomes={outcome: outcomes.count(outcome) for outcome in sorted(set(outcomes))},
        escaped=[result.id for result in verdict.of("escaped")],
    )


def drifted(
    environ: Mapping[str, str], workspace: str, container: str, differences: Sequence[Drift]
) -> str:
    """Record that a sandbox differs from its plan; nothing where it does not."""
    if not differences:
        return ""
    return notes.note(
        environ,
        "drift",
        workspace,
        container=container,
        differences=[
            f"{each.control}: planned {each.planned}, found {each.live}" for each in differences
        ],
    )


def tripped(environ: Mapping[str, str], workspace: str, name: str, port: int, detail: str) -> str:
    """Record that something inside used a name, or sent a token to it, that no program has a reason to use."""
    return notes.note(environ, "tripwire", workspace, name=name, port=port, detail=detail)


def lost(environ: Mapping[str, str], workspace: str, totals: Totals) -> str:
    """Record that a gateway or its listener could not report every attempt: something may be hidden so."""
    return notes.note(
        environ,
        "attempts-lost",
        workspace,
        lost=totals.lost,
        reached=totals.lost_reached,
        tripwires=totals.lost_tripwires,
    )
