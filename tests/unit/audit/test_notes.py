"""What gives a sandbox more is not done without being recorded; all else is."""

from __future__ import annotations

import errno
import os
from collections.abc import Mapping
from pathlib import Path

import pytest

from sandboxd.audit import chain, notes
from sandboxd.audit.entry import Entry
from sandboxd.audit.record import Record, RecordFailure
from sandboxd.egress.approvals import Approval
from sandboxd.egress.names import pattern
from sandboxd.errors import EnvironmentFailure
from sandboxd.policy import approvals, trust

NOW = 1000.0
ALLOW = Approval(pattern("evil.test"), (443,), True, NOW, "shell", NOW + 60)
DENY = ALLOW._replace(allows=False, until=0.0)
GRANT = trust.Grant("/home/ann/app", "ab" * 32, "trusted")


@pytest.fixture
def environ(tmp_path: Path) -> Mapping[str, str]:
    return {"HOME": str(tmp_path)}


@pytest.fixture
def workspace(tmp_path: Path) -> str:
    (tmp_path / "app").mkdir()
    return str(tmp_path / "app")


@pytest.fixture
def full_disk(monkeypatch: pytest.MonkeyPatch) -> None:
    """No entry can be written; everything else can."""

    def append(*_: object) -> None:
        raise RecordFailure(f"the record: {os.strerror(errno.ENOSPC).lower()}", "make room")

    monkeypatch.setattr(Record, "append", append)


def entries(environ: Mapping[str, str]) -> tuple[Entry, ...]:
    record = Record(notes.folder(environ))
    return chain.check(record.files(), record.marks()).entries


def test_grants_and_answers_are_recorded(environ: Mapping[str, str], workspace: str) -> None:
    trust.add(environ, GRANT._replace(workspace=workspace))
    trust.revoke(environ, workspace)
    approvals.add(environ, workspace, ALLOW)
    approvals.add(environ, workspace, DENY)
    approvals.remove(environ, workspace, NOW, lambda _answer: True)
    recorded = entries(environ)
    assert [entry.kind for entry in recorded] == [
        "trust", "trust-revoked", "approval", "denial", "answers-removed",
    ]  # fmt: skip
    assert {entry.project for entry in recorded} == {workspace}
    assert recorded[0].facts == {"what": "trusted", "sha256": "ab" * 32}
    assert recorded[2].facts["name"] == "evil.test" and recorded[2].facts["ports"] == [443]


def test_an_approval_that_was_used_is_no_answer_of_a_person(
    environ: Mapping[str, str], workspace: str
) -> None:
    approvals.add(environ, workspace, ALLOW._replace(once="1"))
    assert approvals.use_up(environ, workspace, ["1"])
    assert [entry.kind for entry in entries(environ)] == ["approval"]


@pytest.mark.usefixtures("full_disk")
def test_without_a_record_nothing_is_trusted(environ: Mapping[str, str]) -> None:
    with pytest.raises(RecordFailure):
        trust.add(environ, GRANT)
    assert trust.grants(environ) == ()


@pytest.mark.usefixtures("full_disk")
def test_without_a_record_nothing_is_approved(environ: Mapping[str, str], workspace: str) -> None:
    with pytest.raises(RecordFailure):
        approvals.add(environ, workspace, ALLOW)
    assert approvals.of_project(environ, workspace, NOW) == ()


def test_without_a_record_a_denial_still_counts_and_stays(
    environ: Mapping[str, str], workspace: str, request: pytest.FixtureRequest
) -> None:
    request.getfixturevalue("full_disk")
    approvals.add(environ, workspace, DENY)
    with pytest.raises(RecordFailure):
        approvals.remove(environ, workspace, NOW, lambda _answer: True)
    assert len(approvals.of_project(environ, workspace, NOW)) == 1


def test_without_a_record_trust_can_be_taken_back(
    environ: Mapping[str, str], workspace: str, request: pytest.FixtureRequest
) -> None:
    trust.add(environ, GRANT)
    request.getfixturevalue("full_disk")
    with pytest.raises(EnvironmentFailure, match="it is done, and not recorded"):
        trust.revoke(environ, GRANT.workspace)
    assert trust.grants(environ) == ()
    assert notes.note(environ, "stop", "") == "not recorded: the record: no space left on device"
