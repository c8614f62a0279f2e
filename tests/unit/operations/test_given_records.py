"""A record of what a sandbox was given ends with its container, or when the user says that the engine is gone."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from sandboxd.audit import chain, notes
from sandboxd.audit.record import Record, RecordFailure
from sandboxd.egress.policy import Policy
from sandboxd.engine.failures import EngineFailure
from sandboxd.errors import EnvironmentFailure, UsageError
from sandboxd.life.lock import project_lock
from sandboxd.operations import given_records
from sandboxd.policy import approvals
from sandboxd.state import chosen_groups, given_rights
from sandboxd.state.given_rights import Entry, GivenRights

SANDBOX = "/home/ann/shop"
FIRST, SECOND = "tcp://first:2375", "tcp://second:2375"


@pytest.fixture
def home(tmp_path: Path) -> dict[str, str]:
    return {"HOME": str(tmp_path)}


def given_on(home: Mapping[str, str], host: str, container: str) -> Entry:
    environ = {**home, "DOCKER_HOST": host}
    given_rights.keep(environ, SANDBOX, GivenRights(container, "d", Policy()))
    chosen_groups.keep(environ, SANDBOX, ["pypi"])
    return next(each for each in given_rights.entries(home) if each.container == container)


def engine_with(*containers: str, id: str = "") -> Any:
    present = [SimpleNamespace(id=each) for each in containers]
    return SimpleNamespace(
        containers=lambda *_labels: present, info=lambda: {"ID": id}, version=lambda: "1"
    )


def test_a_record_ends_with_its_container(home: dict[str, str]) -> None:
    record = given_on(home, FIRST, "c1")
    assert not given_records.forget_ended(engine_with("c1"), home, record)
    assert given_records.forget_ended(engine_with("c2"), home, record)
    assert given_rights.entries(home) == ()
    assert chosen_groups.recall(home, SANDBOX) is None, "nothing runs that they bound"


def test_a_record_that_a_start_works_on_stays(home: dict[str, str]) -> None:
    record = given_on(home, FIRST, "c1")
    with project_lock(SANDBOX, lambda _text: None):
        assert not given_records.forget_ended(engine_with(), home, record)
    given_rights.keep({**home, "DOCKER_HOST": FIRST}, SANDBOX, GivenRights("c2", "d", Policy()))
    assert not given_records.forget_ended(engine_with(), home, record), "it is of another by now"
    assert [each.container for each in given_rights.entries(home)] == ["c2"]


def test_a_record_of_a_start_that_was_killed_stays_with_what_it_may_have_made(
    home: dict[str, str],
) -> None:
    record = given_on(home, FIRST, "")
    assert not given_records.forget_ended(engine_with("c1"), home, record)
    assert given_records.forget_ended(engine_with(), home, record)


def test_a_record_is_looked_at_again_where_the_answers_are_being_written(
    home: dict[str, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """There may be many of them, and nobody waits for the file for each."""
    waits: list[float] = []

    def use_up(*_words: object, seconds: float) -> None:
        waits.append(seconds)
        raise EnvironmentFailure("another process writes it", "")

    monkeypatch.setattr(approvals, "use_up", use_up)
    record = given_on(home, FIRST, "c1")
    assert not given_records.forget_ended(engine_with(), home, record)
    assert waits == [0.0]


def refuses(_environ: object) -> Any:
    raise EngineFailure("no engine answers", "start it")


def test_the_groups_are_free_once_no_engine_is_waited_for(home: dict[str, str]) -> None:
    given_on(home, FIRST, "c1")
    given_on(home, SECOND, "c2")
    (record,) = given_records.note_engine_gone(home, FIRST, refuses)
    assert record.container == "c1"
    assert chosen_groups.recall(home, SANDBOX) == ("pypi",), "one runs on the other engine"
    given_records.note_engine_gone(home, SECOND, refuses)
    assert chosen_groups.recall(home, SANDBOX) is None
    audit = Record(notes.folder(home))
    entries = chain.check(audit.files(), audit.marks()).entries
    assert [(each.kind, each.facts["engine"]) for each in entries] == [
        ("engine-gone", FIRST),
        ("engine-gone", SECOND),
    ]
    assert entries[0].facts["sandboxes"] == [SANDBOX]


def test_an_engine_on_which_nothing_was_given_is_not_known(home: dict[str, str]) -> None:
    given_on(home, FIRST, "c1")
    with pytest.raises(UsageError) as raised:
        given_records.note_engine_gone(home, SECOND, refuses)
    assert raised.value.hint == f"engines on which one has: `{FIRST}`"


@pytest.mark.parametrize("case", ["", "403"])
def test_an_engine_that_answers_is_not_gone(home: dict[str, str], case: str) -> None:
    """Also one that refuses the question."""
    given_on(home, FIRST, "c1")

    def version() -> None:
        if case:
            failure = EngineFailure("you may not", "ask its owner")
            failure.case = case
            raise failure

    engine: Any = SimpleNamespace(version=version, info=lambda: {"ID": "first"})
    with pytest.raises(UsageError, match="answers, so it is not gone"):
        given_records.note_engine_gone(home, FIRST, lambda _: engine)
    assert [each.is_gone for each in given_rights.entries(home)] == [False]


def test_an_address_that_leads_to_another_engine_ends_no_record_of_the_first(
    home: dict[str, str],
) -> None:
    """A tunnel to another machine: the container goes on where it was, and so does what it was given."""
    environ = {**home, "DOCKER_HOST": FIRST}
    given_rights.keep(environ, SANDBOX, GivenRights("c1", "d", Policy(), engine_id="first"))
    (record,) = given_rights.entries(home)
    other, first = engine_with(id="other"), engine_with(id="first")
    with pytest.raises(EnvironmentFailure, match="leads to another engine by now"):
        given_records.forget_ended(other, home, record)
    assert given_rights.entries(home) == (record,)
    with pytest.raises(UsageError, match="answers, so it is not gone"):
        given_records.note_engine_gone(home, FIRST, lambda _: first)
    assert given_records.note_engine_gone(home, FIRST, lambda _: other) == (record,)
    assert given_records.forget_ended(first, home, given_rights.entries(home)[0])


def test_without_its_entry_in_the_record_nothing_is_noted(
    home: dict[str, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    given_on(home, FIRST, "c1")

    def full(*_: object, **__: object) -> None:
        raise RecordFailure("the disk is full", "make room")

    monkeypatch.setattr(notes, "require", full)
    with pytest.raises(RecordFailure):
        given_records.note_engine_gone(home, FIRST, refuses)
    assert [each.is_gone for each in given_rights.entries(home)] == [False]


def test_a_record_that_cannot_be_written_is_said(
    home: dict[str, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    given_on(home, FIRST, "c1")

    def full(*_: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(given_rights, "write_private", full)
    with pytest.raises(EnvironmentFailure, match="cannot be written: no space left"):
        given_records.note_engine_gone(home, FIRST, refuses)


def test_the_command_is_one_to_paste() -> None:
    assert given_records.command_for_gone("ssh://me@build; rm") == (
        "sandboxd prune --engine-gone 'ssh://me@build; rm'"
    )
