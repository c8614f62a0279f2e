"""A record of what a sandbox was given that is there and cannot be read: it stands for nothing, never for no sandbox."""

from __future__ import annotations

from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from sandboxd.agents import session as sessions
from sandboxd.folders import state_folder
from sandboxd.model.labels import PROJECT
from sandboxd.operations import gateway
from sandboxd.operations.following import follow_all
from sandboxd.state import given_rights
from tests.unit.operations.running_project import LISTED, OF_PROFILE, Running, play


@pytest.fixture
def running(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Running:
    one = play(tmp_path, monkeypatch)
    one.write(LISTED, trusted=True)
    one.start()
    one.follow()
    assert one.lets_through("a.example.org")
    return one


def record_of(running: Running) -> Path:
    (path,) = Path(state_folder(running.environ), "given").glob("*.json")
    return path


@pytest.mark.parametrize("text", ["", "{", '{"sandbox": "x", "container": "c1"}'])
def test_nothing_is_left_until_the_next_start(running: Running, text: str) -> None:
    """Also of a config with a grant: nobody knows for which one its secrets and its names were."""
    record_of(running).write_text(text)
    for _ in range(2):
        running.follow()
        assert running.pushed[-1].rules == () and running.pushed[-1].credentials == ()
    running.container = "c2"
    running.start()
    running.follow()
    assert running.lets_through("a.example.org")


def engine_with(*workspaces: str) -> Any:
    present = [SimpleNamespace(labels={PROJECT: each}) for each in workspaces]
    return SimpleNamespace(containers=lambda *_labels, **_options: present)


def test_a_command_follows_what_runs_and_names_the_records_that_are_left(
    running: Running, monkeypatch: pytest.MonkeyPatch
) -> None:
    record = record_of(running)
    record.write_text("")
    other = record.with_name("of-another-engine.json")
    other.write_text("{")
    followed: list[str] = []
    really = gateway.follow

    def follow(engine: Any, sandbox: str, environ: Any) -> object:
        followed.append(sandbox)
        return really(engine, sandbox, environ)

    monkeypatch.setattr(gateway, "follow", follow)
    outcomes = follow_all(running.environ, lambda _: engine_with(str(running.path)))
    assert followed == [str(running.path)]
    assert [each.sandbox for each in outcomes if each.behind] == [str(other)]


def test_a_folder_of_records_that_cannot_be_listed_is_no_empty_one(running: Running) -> None:
    folder = record_of(running).parent
    folder.rename(folder.with_name("aside"))
    assert follow_all(running.environ, lambda _: engine_with()) == ()
    folder.write_text("")
    (outcome,) = follow_all(running.environ, lambda _: engine_with())
    assert outcome.behind and outcome.sandbox == str(folder)


def test_a_session_whose_record_is_gone_gets_nothing_by_the_project(
    running: Running, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Its container goes on, and the project's own file was granted for another one."""
    given = given_rights.recall(running.environ, str(running.path), "c1")
    assert given is not None and given.grantee == str(running.path)
    none = given._replace(grantee="/state/agents/claude", most=given.most._replace(rules=()))
    given_rights.keep(running.environ, str(running.path), none)
    running.follow()
    assert not running.lets_through("a.example.org") and not running.lets_through(OF_PROFILE)
    assert running.pushed[-1].rules == ()


def test_a_session_that_cannot_be_looked_at_is_not_taken_for_none(tmp_path: Path) -> None:
    environ = {"HOME": str(tmp_path), "XDG_STATE_HOME": str(tmp_path / "state")}
    own = sessions.session(environ, "/project", "claude", "claude")
    assert sessions.recall(environ, "/project", "claude") is None
    folder = Path(own.folder)
    folder.parent.mkdir(parents=True)
    folder.symlink_to(folder)
    with pytest.raises(Exception, match="claude"):
        sessions.recall(environ, "/project", "claude")
