"""What an agent is given on a project is asked about once, not once for each session of it."""

from __future__ import annotations

import io
import os
from pathlib import Path

import pytest

from sandboxd.agents.session import Choices
from sandboxd.cli import agent_sessions
from sandboxd.errors import UsageError
from sandboxd.policy import trust


@pytest.fixture
def project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> str:
    """A project of a user whom nobody can ask."""
    monkeypatch.setenv("HOME", str(tmp_path / "home"))
    monkeypatch.setattr("sys.stdin", io.StringIO())
    for name in ("XDG_CONFIG_HOME", "XDG_STATE_HOME"):
        monkeypatch.setenv(name, str(tmp_path / name))
    folder = tmp_path / "app"
    folder.mkdir()
    (folder / "sandboxd.toml").write_text('image = "alpine"\n')
    return str(folder.resolve())


def start(project: str, name: str, *allow: str, agent: str = "claude", yes: bool = False) -> None:
    own, its_agent = agent_sessions.make(project, agent, name, Choices(allow=allow))
    agent_sessions.ask(own, its_agent, yes=yes)


def test_another_session_of_the_agent_is_not_asked_about_again(
    project: str, capsys: pytest.CaptureFixture[str]
) -> None:
    start(project, "claude", yes=True)
    assert "is to have:" in capsys.readouterr().err
    start(project, "claude-2")
    assert capsys.readouterr().err == ("`claude-2` has no more than you agreed to for `claude`\n")
    start(project, "claude-2")
    assert capsys.readouterr().err == ""
    assert len(trust.grants(os.environ)) == 2


def test_one_that_is_to_have_less_is_not_asked_about(project: str) -> None:
    start(project, "claude", "example.org", yes=True)
    start(project, "claude-2")


def test_one_that_is_to_have_more_is(project: str) -> None:
    start(project, "claude", yes=True)
    with pytest.raises(UsageError, match="nobody is here to agree"):
        start(project, "claude-2", "example.org")


def test_what_was_agreed_to_for_two_sessions_apart_is_asked_about_together(project: str) -> None:
    start(project, "claude", "one.example.org", yes=True)
    start(project, "claude-2", "two.example.org", yes=True)
    with pytest.raises(UsageError, match="nobody is here to agree"):
        start(project, "claude-3", "one.example.org", "two.example.org")


def test_another_agent_is_asked_about(project: str) -> None:
    start(project, "claude", yes=True)
    with pytest.raises(UsageError, match="nobody is here to agree"):
        start(project, "codex", agent="codex")


def test_so_is_one_after_the_answer_was_taken_back(project: str) -> None:
    start(project, "claude", yes=True)
    (grant,) = trust.grants(os.environ)
    trust.revoke(os.environ, grant.workspace)
    with pytest.raises(UsageError, match="nobody is here to agree"):
        start(project, "claude-2")
