"""`sandboxd status --json`: the field names are the API, all are always present."""

from __future__ import annotations

import json
from collections.abc import Iterable
from typing import Any

from sandboxd.egress.credential_lines import CredentialLine
from sandboxd.egress.traffic import total
from sandboxd.host.facts import HostFacts
from sandboxd.observe.pin import Pin
from sandboxd.state.measurement import Measurement
from sandboxd.status import lost_pins
from sandboxd.status.model import (
    Counts,
    DaemonLine,
    InForce,
    NamesStatus,
    ProjectStatus,
    StatusReport,
    Verification,
)
from sandboxd.verify.last_verdict import age_seconds

_MOST_SENT = 5
"""Names that are listed with their bytes; `egress log` has all."""


def render(report: StatusReport, projects: Iterable[ProjectStatus] | None = None) -> str:
    """One JSON object and a newline.

    :param projects: the projects to use instead of those of the report; read one by one, as there may be thousands
    """
    head = {
        "version": 1,
        "daemon": _daemon(report.daemon),
        "host": _host(report.host, report.age),
        "projects": [],
    }
    before, _, after = json.dumps(head, indent=2).rpartition("[]")
    items = ",".join(
        "\n    " + json.dumps(_project(project), indent=2).replace("\n", "\n    ")
        for project in (report.projects if projects is None else projects)
    )
    end = "\n  " if items else ""
    return f"{before}[{items}{end}]{after}\n"


def _daemon(daemon: DaemonLine) -> dict[str, Any]:
    return {
        "running": daemon.running,
        "version": daemon.version or None,
        "pid": daemon.pid,
        "projects": daemon.projects,
        "watching": daemon.watching or None,
        "problem": daemon.problem or None,
    }


def _host(facts: HostFacts | None, age: float) -> dict[str, Any] | None:
    if facts is None:
        return None
    engine = facts.engine
    return {
        "system": facts.system,
        "kernel": facts.kernel,
        "age_seconds": round(age, 1),
        "engine": None
        if engine is None
        else {
            "host": engine.host,
            "kind": engine.kind,
            "version": engine.version,
            "error": engine.error or None,
            "hint": engine.hint or None,
            "runtimes": [
                {
                    "name": runtime.name,
                    "usable": runtime.usable,
                    "gvisor": runtime.gvisor,
                    "why": runtime.why or None,
                    "fix": runtime.fix or None,
                }
                for runtime in engine.runtimes
            ],
        },
    }


def _project(project: ProjectStatus) -> dict[str, Any]:
    return {
        "path": project.path,
        "state": project.state,
        "halted": project.halted or None,
        "halted_beside": dict(project.halted_beside),
        "lost": lost_pins.texts_of(project),
        "lost_pins": [_pin(pin) for pin in project.lost_pins],
        "lost_beside": {name: [_pin(pin) for pin in pins] for name, pins in project.lost_beside},
        "unwatched": project.unwatched or None,
        "unchecked_pins": list(project.unchecked_pins),
        "kept": project.keeps,
        "profile": project.profile,
        "running_profile": project.running_profile or None,
        "asked": project.asked,
        "in_force": _in_force(project.in_force),
        "unseen": project.unseen or None,
        "drift": None if project.drift is None else list(project.drift),
        "verified": _verification(project.verified),
        "downgrades": list(project.downgrades),
        "hooks": list(project.hooks),
        "waiting": list(project.waiting),
        "copy": list(project.copy),
        "measured": _measured(project.measured),
        "ports": list(project.ports),
        "open_ports": [port._asdict() for port in project.open_ports],
        "beside": [{"name": name, "state": state} for name, state in project.beside],
        "agents": [each._asdict() for each in project.agents],
        "findings": _counts(project.counts),
        "trust": project.trust,
        "denials": _denials(project.names),
        "names": _names(project.names),
        "checking": project.checking,
        "problem": project.problem or None,
        "hint": project.hint or None,
    }


def _pin(pin: Pin) -> dict[str, Any]:
    return {
        "name": pin.name,
        "path": pin.source or None,
        "inside": pin.target,
        "why": pin.why,
        "known_by": pin.witness.value,
    }


def _measured(measured: Measurement | None) -> dict[str, Any] | None:
    if measured is None:
        return None
    names = ("when", "command", "conclusion", "ratio")
    return {name: value for name, value in measured._asdict().items() if name in names}


def _denials(names: NamesStatus | None) -> int | None:
    """The number of denials; None where nothing was recorded, so that no number is made up."""
    return names.totals.denied if names is not None and names.is_recorded else None


def _names(names: NamesStatus | None) -> dict[str, Any] | None:
    if names is None:
        return None
    return {
        "allowed": list(names.allowed),
        "recorded": names.is_recorded,
        **names.totals._asdict(),
        **_bytes(names),
        "last_denied": [
            {
                "name": denied.name,
                "port": denied.port or None,
                "reason": denied.reason,
                "command": denied.command or None,
            }
            for denied in names.denied
        ],
        "questions": [
            {"name": question.name, "port": question.port, "why": question.why}
            for question in names.questions
        ],
        "credentials": [_credential(line) for line in names.credentials],
        "waiting": list(names.waiting),
        "behind": names.behind or None,
        "shut": names.shut or None,
    }


def _bytes(names: NamesStatus) -> dict[str, Any]:
    """The bytes in all, and the names that were sent most; null where they were not counted, so that no number is made up."""
    if names.carried is None:
        return {"bytes_up": None, "bytes_down": None, "most_sent": None}
    whole = total(names.carried)
    return {
        "bytes_up": whole.bytes_up,
        "bytes_down": whole.bytes_down,
        "most_sent": [each._asdict() for each in names.carried[:_MOST_SENT]],
    }


def _credential(line: CredentialLine) -> dict[str, Any]:
    return {
        "service": line.service,
        "missing": line.is_missing,
        "used": line.used,
        "rejected": line.rejected,
        "refused": line.refused,
        "failed": line.failed,
        "last_used": line.last or None,
        "last_rejected": line.last_rejected or None,
        "status": line.status or None,
    }


def _in_force(running: InForce | None) -> dict[str, Any] | None:
    if running is None:
        return None
    return {
        "settings": running.settings,
        "controls": [control._asdict() for control in running.controls],
    }


def _verification(verification: Verification | None) -> dict[str, Any] | None:
    if verification is None:
        return None
    return {
        "state": verification.state,
        "age_seconds": round(age_seconds(verification.when), 1),
        "tried": verification.tried,
        "escaped": list(verification.escaped),
        "not_tried": list(verification.not_tried),
        "open": list(verification.open),
    }


def _counts(counts: Counts | None) -> dict[str, int] | None:
    if counts is None:
        return None
    return {
        "error": counts.error,
        "warning": counts.warning,
        "hint": counts.hint,
        "skipped": counts.skipped,
    }
