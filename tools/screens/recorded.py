"""A report of `sandboxd status` from its recorded JSON: `sandboxd status --json > tests/screens/NAME.json`."""

from __future__ import annotations

import json
import time
from pathlib import Path
from typing import Any

from sandboxd.egress import words
from sandboxd.egress.ledger import Question, Totals
from sandboxd.egress.traffic import Carried
from sandboxd.host.facts import Engine, HostFacts, Runtime
from sandboxd.observe.control import Control
from sandboxd.status.combine import BEGIN
from sandboxd.status.model import (
    Counts,
    DaemonLine,
    DeniedName,
    InForce,
    NamesStatus,
    ProjectStatus,
    StatusReport,
    Verification,
)
from sandboxd.status.once import KEEPS

FOLDER = Path(__file__).resolve().parents[2] / "tests" / "screens"


def report(name: str) -> StatusReport:
    """The recording of that name; its first project is the one that the caller is in."""
    document = json.loads((FOLDER / f"{name}.json").read_text(encoding="utf-8"))
    projects = tuple(_project(row) for row in document["projects"])
    here = projects[0].path if projects else ""
    return StatusReport(
        _daemon(document["daemon"], bool(projects)), _host(document["host"]), projects, 0.0, here
    )


def _daemon(row: dict[str, Any], has_project: bool) -> DaemonLine:
    """The daemon's line; its hint, which the document does not hold, is that of `status.once`."""
    return DaemonLine(
        row["running"],
        row["version"] or "",
        row["pid"],
        row["projects"],
        row["watching"] or "",
        row["problem"] or "",
        KEEPS if has_project else BEGIN,
    )


def _host(row: dict[str, Any] | None) -> HostFacts | None:
    if row is None:
        return None
    engine = row["engine"]
    runtimes = tuple(
        Runtime(
            each["name"],
            each["name"],
            usable=each["usable"],
            gvisor=each["gvisor"],
            why=each["why"] or "",
            fix=each["fix"] or "",
        )
        for each in engine["runtimes"]
    )
    return HostFacts(
        system=row["system"],
        kernel=row["kernel"],
        engine=Engine(
            engine["host"],
            kind=engine["kind"],
            version=engine["version"],
            runtimes=runtimes,
            error=engine["error"] or "",
            hint=engine["hint"] or "",
        ),
    )


def _project(row: dict[str, Any]) -> ProjectStatus:
    drift = row["drift"]
    return ProjectStatus(
        path=row["path"],
        state=row["state"],
        profile=row["profile"],
        asked=row["asked"],
        in_force=_in_force(row["in_force"]),
        unseen=row["unseen"] or "",
        drift=None if drift is None else tuple(drift),
        verified=_verified(row["verified"]),
        downgrades=tuple(row["downgrades"]),
        counts=Counts(**row["findings"]) if row["findings"] is not None else None,
        problem=row["problem"] or "",
        hint=row["hint"] or "",
        keeps=True,
        trust=row["trust"],
        names=_names(row["names"]),
        checking=row["checking"],
        hooks=tuple(row["hooks"]),
        ports=tuple(row["ports"]),
    )


def _in_force(row: dict[str, Any] | None) -> InForce | None:
    if row is None:
        return None
    return InForce(row["settings"], tuple(Control(**control) for control in row["controls"]))


def _verified(row: dict[str, Any] | None) -> Verification | None:
    if row is None:
        return None
    when = time.time() - row["age_seconds"]
    return Verification(row["state"], when, row["tried"], tuple(row["escaped"]))


def _names(row: dict[str, Any] | None) -> NamesStatus | None:
    if row is None:
        return None
    denied = tuple(
        DeniedName(
            each["name"],
            each["port"] or 0,
            each["reason"],
            words.reason(each["reason"]),
            0.0,
            each["command"] or "",
        )
        for each in row["last_denied"]
    )
    questions = tuple(
        Question(number, each["name"], each["port"], each["why"], 0.0)
        for number, each in enumerate(row["questions"])
    )
    totals = Totals(*(row[field] for field in Totals._fields))
    most_sent = row["most_sent"]
    return NamesStatus(
        tuple(row["allowed"]),
        row["recorded"],
        totals,
        denied,
        questions,
        carried=None if most_sent is None else tuple(Carried(**each) for each in most_sent),
    )
