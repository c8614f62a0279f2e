"""What the audit record says of halts."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from sandboxd.audit import chain, notes
from sandboxd.audit.record import Record
from sandboxd.halt import entries, record
from sandboxd.halt.points import What
from sandboxd.halt.put_back import Outcome
from sandboxd.halt.record import Ended, Entry, Halt, Owner, Reason
from sandboxd.halt.verdict import Action

HALT = Halt(
    "/w//login",
    "c1",
    Owner.DAEMON,
    Reason.REPLACED,
    5.0,
    (
        Entry(".envrc", What.REPLACED, Outcome(".envrc", Action.PUT_BACK, ".envrc.halted")),
        Entry("sub", What.REMOVED),
        Entry("sub/.envrc", None, Outcome("sub/.envrc", Action.LEFT)),
    ),
)


@pytest.fixture
def environ(tmp_path: Path) -> dict[str, str]:
    return {"XDG_STATE_HOME": str(tmp_path)}


def facts(environ: dict[str, str]) -> list[tuple[str, str, dict[str, Any]]]:
    ours = Record(notes.folder(environ))
    reading = chain.check(ours.files(), ours.marks())
    return [(each.kind, each.project, dict(each.facts)) for each in reading.entries]


def test_a_halt_says_who_why_and_which_paths(environ: dict[str, str]) -> None:
    assert entries.halted(environ, HALT) == ""
    ((kind, project, said),) = facts(environ)
    assert (kind, project) == ("halt", "/w")
    assert said == {
        "sandbox": "login",
        "owner": "daemon",
        "reason": "replaced",
        "paths": [".envrc: replaced", "sub: removed or renamed"],
        "put_aside": [".envrc.halted"],
        "container": "c1",
    }


def test_a_halt_is_told_once(environ: dict[str, str]) -> None:
    assert entries.halted(environ, HALT) == ""
    told = record.load(environ, HALT.sandbox, HALT.container)
    assert told == HALT._replace(is_told=True)
    assert entries.halted(environ, told) == ""
    assert len(facts(environ)) == 1


def test_its_end_says_how_and_after_which_time(environ: dict[str, str]) -> None:
    assert entries.ended(environ, HALT._replace(ended=Ended.REMADE, ended_at=65.4)) == ""
    ((kind, _, said),) = facts(environ)
    assert (kind, said["how"], said["after_seconds"]) == ("halt-ended", "remade", 60)
    assert said["paths"] == [".envrc: replaced", "sub: removed or renamed"]


def test_one_that_cannot_be_recorded_is_said(tmp_path: Path) -> None:
    (tmp_path / "sandboxd").write_text("in the way")
    assert entries.halted({"XDG_STATE_HOME": str(tmp_path)}, HALT).startswith("not recorded: ")
