"""Sessions: whose one is, what was chosen for it, and how the sandbox of its name gets its config."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from sandboxd.agents import session
from sandboxd.agents.session import Choices
from sandboxd.errors import UsageError
from sandboxd.project import Project
from sandboxd.project.here import sessions

CONFIG = b'profile = "agent"\n'


@pytest.fixture
def project(tmp_path: Path) -> str:
    (tmp_path / "weather").mkdir()
    return os.path.realpath(tmp_path / "weather")


def make(project: str, name: str = "claude", agent: str = "claude") -> session.Session:
    own = session.session(os.environ, project, agent, name)
    session.write(os.environ, own, CONFIG)
    return own


def test_a_session_is_known_by_project_and_name(project: str) -> None:
    own = make(project)
    assert own.folder.startswith(os.environ["XDG_STATE_HOME"])
    assert session.recall(os.environ, project, "claude") == own
    assert Path(own.config_path).read_bytes() == CONFIG
    for other, name in ((project, ""), (project, "other"), (f"{project}-2", "claude")):
        assert session.recall(os.environ, other, name) is None


def test_its_config_takes_the_place_of_the_projects_for_its_name_alone(project: str) -> None:
    Path(project, "sandboxd.toml").write_text('profile = "dev"\n')
    own = make(project)
    opened = Project.open(project, os.environ, "claude")
    assert (opened.workspace, opened.session) == (project, own)
    assert opened.config.profile.value == "agent"
    # What was granted for the one does not count for the other.
    assert opened.grantee == own.folder
    for name in ("", "other"):
        plain = Project.open(project, os.environ, name)
        assert (plain.config.profile.value, plain.grantee) == ("dev", project)


def test_a_project_without_a_config_can_have_one(project: str) -> None:
    make(project)
    opened = Project.open(project, os.environ, "claude")
    assert (opened.workspace, opened.config.profile.value) == (project, "agent")


def test_a_record_in_the_repository_is_none(project: str) -> None:
    Path(project, session.RECORD).write_text('agent = "x"\nproject = "/"\n')
    assert session.recall(os.environ, project, "claude") is None


def test_choices_are_remembered(project: str) -> None:
    chosen = Choices("debian", ("pypi",), ("anthropic:work",), ("make", "-k", "a b"))
    own = session.session(os.environ, project, "claude", "claude")._replace(choices=chosen)
    session.write(os.environ, own, CONFIG)
    assert session.recall(os.environ, project, "claude") == own


def test_a_record_of_an_older_version_has_none_of_the_later_choices(project: str) -> None:
    own = make(project)
    record = Path(own.folder, session.RECORD)
    lines = record.read_text().splitlines(keepends=True)
    record.write_text("".join(x for x in lines if not x.startswith(("credentials", "command"))))
    assert "command" not in record.read_text()
    assert session.recall(os.environ, project, "claude") == own


def test_a_record_that_cannot_be_read_stops(project: str) -> None:
    own = make(project)
    Path(own.folder, session.RECORD).write_text('name = "x"\n')
    with pytest.raises(UsageError, match="no record of a session"):
        Project.open(project, os.environ, "claude")


def test_sessions_of_one_project_are_listed_and_no_others(project: str, tmp_path: Path) -> None:
    assert session.of_project(os.environ, project) == ()
    one, two = make(project, "one"), make(project, "two")
    (tmp_path / "other").mkdir()
    make(os.path.realpath(tmp_path / "other"))
    assert session.of_project(os.environ, project) == (one, two)


@pytest.mark.parametrize("name", ["broken", "No Name"])
def test_one_that_cannot_be_read_hides_no_other(project: str, name: str) -> None:
    own = make(project, "one")
    folder = Path(own.folder).parent / name
    folder.mkdir()
    (folder / session.RECORD).write_text("agent =")
    assert [each.name for each in sessions(os.environ, project)] == ["one"]


def test_a_name_of_another_agents_session_is_refused(project: str) -> None:
    make(project, "mine", "claude")
    other = session.session(os.environ, project, "codex", "mine")
    with pytest.raises(UsageError, match="is one of `claude`"):
        session.write(os.environ, other, CONFIG)


@pytest.mark.parametrize("name", ["..", "a/b", "A", "a b"])
def test_a_name_is_that_of_a_sandbox(project: str, name: str) -> None:
    with pytest.raises(UsageError, match="is no name"):
        session.session(os.environ, project, "claude", name)
    with pytest.raises(UsageError, match="is no name"):
        session.recall(os.environ, project, name)


def test_a_folder_that_holds_our_state_is_no_project() -> None:
    for folder in (os.environ["HOME"], "/"):
        with pytest.raises(UsageError, match="holds sandboxd's own files"):
            session.session(os.environ, os.path.realpath(folder), "claude", "claude")


def test_a_forgotten_session_is_none_and_can_be_made_again(project: str) -> None:
    own = make(project)
    session.forget(own)
    session.forget(own)
    assert session.of_project(os.environ, project) == ()
    assert make(project, agent="codex").agent == "codex"
