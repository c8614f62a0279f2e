"""Writes the entries of operations to the user's audit record.

The functions that return a text return '', or the reason why the entry could not be written. `sandbox` is the sandbox's
identity (`model.sandbox_id`); its name, if it has one, becomes a field of the entry.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from sandboxd.audit import notes
from sandboxd.egress.traffic import total
from sandboxd.model.sandbox_id import name_of, workspace_of

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping, Sequence

    from sandboxd.audit.entry import Kind
    from sandboxd.backends.backend import Comparison
    from sandboxd.credentials.ssh_agent.verdict import Verdict as LoginVerdict
    from sandboxd.egress.ledger import Ledger, Totals
    from sandboxd.errors import SandboxdError
    from sandboxd.host.facts import HostFacts
    from sandboxd.life.starting import Running
    from sandboxd.plan.plan import Plan
    from sandboxd.verify.verdict import Verdict

_MOST_NAMES = 50


def before_weak_start(environ: Mapping[str, str], sandbox: str) -> None:
    """Record that the user allows hardened runc for a profile that needs gVisor.

    :raises RecordFailure: it cannot be recorded, so the sandbox must not start that way
    """
    notes.require(
        environ, "weakened", workspace_of(sandbox), **name_fact(sandbox), by_option="--allow-runc"
    )


def before_variables(environ: Mapping[str, str], sandbox: str, names: Collection[str]) -> None:
    """Record the names of variables whose values the user gives to a sandbox from an own file (`--env-file`).

    :raises RecordFailure: they cannot be recorded, so the values must not be given
    """
    notes.require(
        environ, "variables", workspace_of(sandbox), **name_fact(sandbox), names=sorted(names)
    )


def before_widening(
    environ: Mapping[str, str], sandbox: str, names: Collection[str], credentials: Collection[str]
) -> None:
    """Record the rights that a running sandbox is about to get without an answer of the user.

    :param names: host names
    :param credentials: names of credentials
    :raises RecordFailure: they cannot be recorded, so they must not be given
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
    """Record that other machines will be able to reach ports of a sandbox.

    :param address: the IP address on which this machine listens
    :raises RecordFailure: it cannot be recorded, so nothing may listen there
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
    """Record that the user copies a file out of a sandbox, by its name, on which tools on the host act.

    :param digest: of the file's content
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

    :param missing: names of the credentials that it starts without
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
    """Record that a sandbox was not started, because its config is not valid or lacks a grant."""
    return _note(environ, "refused", sandbox, why=error.message)


def stopped(
    environ: Mapping[str, str],
    sandbox: str,
    removed: Sequence[str],
    discarded: bool,
    ledger: Ledger | None,
    place: Mapping[str, str],
) -> str:
    """Record that a sandbox was removed.

    :param removed: names of its containers; without any only the network's use is recorded
    :param discarded: whether the changes in its private copy were thrown away
    :param ledger: the events of its gateway; None if it had none, or did not answer
    :param place: the backend's `Backend.place`
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
            carried=_carried(ledger),
            reached=sorted(reached)[:_MOST_NAMES],
            denied=sorted(denied)[:_MOST_NAMES],
        )
        problem = problem or _credentials(environ, sandbox, ledger)
    if not removed:
        return problem
    return problem or _note(
        environ, "stop", sandbox, removed=list(removed), discarded=discarded, **place
    )


def _carried(ledger: Ledger) -> dict[str, int] | str:
    """The bytes that all connections of the sandbox carried, up and down; ``not counted`` if the gateway did not count."""
    carried = ledger.traffic.by_name()
    if carried is None:
        return "not counted"
    whole = total(carried)
    return {"bytes_up": whole.bytes_up, "bytes_down": whole.bytes_down}


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
    """Record `count` SSH logins of one kind that a sandbox asked for: signed, or refused and why."""
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
    """Record the result of escape attempts on a sandbox."""
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


def drifted(environ: Mapping[str, str], compared: Comparison, place: Mapping[str, str]) -> str:
    """Record that a running sandbox differs from its plan; nothing if it does not.

    :param place: as in `stopped`
    """
    if not compared.differences:
        return ""
    return _note(
        environ,
        "drift",
        compared.sandbox,
        container=compared.container,
        differences=[
            f"{each.control}: planned {each.planned}, found {each.live}"
            for each in compared.differences
        ],
        **place,
    )


def tripped(environ: Mapping[str, str], sandbox: str, name: str, port: int, detail: str) -> str:
    """Record that something inside used a name, or sent a token, that no program has a reason to use."""
    return _note(environ, "tripwire", sandbox, name=name, port=port, detail=detail)


def lost(environ: Mapping[str, str], sandbox: str, totals: Totals) -> str:
    """Record that a gateway or its listener could not report every attempt, so that some may be unknown."""
    return _note(
        environ,
        "attempts-lost",
        sandbox,
        lost=totals.lost,
        reached=totals.lost_reached,
        tripwires=totals.lost_tripwires,
    )


def name_fact(sandbox: str) -> dict[str, str]:
    """The field of an entry that holds the sandbox's name; {} for the unnamed one."""
    name = name_of(sandbox)
    return {"sandbox": name} if name else {}


def _note(environ: Mapping[str, str], kind: Kind, sandbox: str, **facts: Any) -> str:
    return notes.note(environ, kind, workspace_of(sandbox), **name_fact(sandbox), **facts)
