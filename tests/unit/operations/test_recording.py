"""What a gateway told is recorded when its sandbox ends, credentials by their services alone."""

from __future__ import annotations

from pathlib import Path
from types import SimpleNamespace
from typing import Any, NamedTuple

import pytest

from sandboxd.audit import chain, notes
from sandboxd.audit.record import Record
from sandboxd.egress.ledger import Ledger
from sandboxd.errors import UsageError
from sandboxd.forward.ports import Wish
from sandboxd.model.sandbox_id import sandbox_id
from sandboxd.operations import forward, recording


def tried(number: int, outcome: str, count: int) -> Any:
    return {
        "event": "credential", "seq": number, "time": float(number), "service": "npm",
        "outcome": outcome, "status": 200, "reason": "", "count": count,
    }  # fmt: skip


def test_credentials_that_were_used_are_recorded_by_their_service(tmp_path: Path) -> None:
    environ = {"XDG_CONFIG_HOME": str(tmp_path), "XDG_STATE_HOME": str(tmp_path)}
    ledger = Ledger()
    ledger.take([tried(1, "used", 3), tried(2, "rejected", 1), tried(3, "refused", 2)])
    assert recording.stopped(environ, "/work", ["weather"], False, ledger, {}) == ""
    record = Record(notes.folder(environ))
    entries = chain.check(record.files(), record.marks()).entries
    assert [entry.kind for entry in entries] == ["network", "credential", "stop"]
    assert entries[1].facts == {
        "service": "npm", "used": 3, "rejected": 1, "refused": 2, "failed": 0,
    }  # fmt: skip


def test_entries_say_which_sandbox_of_the_project_they_are_of(tmp_path: Path) -> None:
    environ = {"XDG_CONFIG_HOME": str(tmp_path), "XDG_STATE_HOME": str(tmp_path)}
    ledger = Ledger()
    ledger.take([tried(1, "used", 3)])
    for sandbox in ("/work//login", "/work"):
        recording.before_weak_start(environ, sandbox)
        assert recording.refused(environ, sandbox, UsageError("no", "")) == ""
        assert recording.stopped(environ, sandbox, ["weather"], False, ledger, {}) == ""
    record = Record(notes.folder(environ))
    entries = chain.check(record.files(), record.marks()).entries
    assert {entry.project for entry in entries} == {"/work"}
    kinds = ["weakened", "refused", "network", "credential", "stop"]
    assert [(entry.kind, entry.facts.get("sandbox")) for entry in entries] == [
        *((kind, "login") for kind in kinds), *((kind, None) for kind in kinds),
    ]  # fmt: skip


class Engine(NamedTuple):
    default_runtime: str | None
    runtimes: tuple[Any, ...] = (SimpleNamespace(name="runsc-own", version="20260101"),)


@pytest.mark.parametrize("name", ["", "login"])
@pytest.mark.parametrize(
    ("planned", "default", "recorded"),
    [
        ("runsc-own", "runc", ("runsc-own", "20260101")),
        ("", "runsc-own", ("runsc-own", "20260101")),
        ("", None, ("", "")),
        (None, "runc", ("runc", "")),
    ],
)
def test_a_start_is_recorded_with_the_runtime_that_runs_it(
    tmp_path: Path, planned: str | None, default: str | None, recorded: tuple[str, str], name: str
) -> None:
    environ = {"XDG_CONFIG_HOME": str(tmp_path), "XDG_STATE_HOME": str(tmp_path)}
    runtime = None if planned is None else SimpleNamespace(value=planned)
    plan: Any = SimpleNamespace(
        container=SimpleNamespace(runtime=runtime),
        sandbox=sandbox_id("/work", name),
        profile="dev",
        credentials=(SimpleNamespace(name="github"), SimpleNamespace(name="npm")),
        downgrades_of_up=tuple,
    )
    facts: Any = SimpleNamespace(engine=Engine(default))
    running: Any = SimpleNamespace(inspected={"Image": "sha256:1"}, how="created", id="c1")
    assert recording.started(environ, plan, facts, running, ["github"]) == ""
    record = Record(notes.folder(environ))
    [entry] = chain.check(record.files(), record.marks()).entries
    assert (entry.facts["runtime"], entry.facts["runtime_build"]) == recorded
    assert (entry.project, entry.facts.get("sandbox", "")) == ("/work", name)
    assert entry.facts["credentials"] == ["npm"], "no secret of the other was there"


def test_what_others_are_to_reach_is_recorded_with_its_ports(tmp_path: Path) -> None:
    environ = {"XDG_CONFIG_HOME": str(tmp_path), "XDG_STATE_HOME": str(tmp_path)}
    record = Record(notes.folder(environ))
    wishes = (Wish(8080, 0), Wish(5432, 5432, service="db"))
    for address in ("127.0.0.1", "::1"):
        forward.before_listening(address, wishes, environ, "/work")
    assert record.files() == ()
    forward.before_listening("0.0.0.0", wishes, environ, "/work//two")
    (entry,) = chain.check(record.files(), record.marks()).entries
    assert (entry.kind, entry.project) == ("forward", "/work")
    assert entry.facts == {"sandbox": "two", "address": "0.0.0.0", "ports": ["8080", "db:5432"]}
