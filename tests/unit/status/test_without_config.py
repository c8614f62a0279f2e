"""A folder without any config: its agents and sandboxes are named, and it is not asked for an image."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from sandboxd.agents import run, session
from sandboxd.host.facts import UNKNOWN
from sandboxd.model.sandbox_id import sandbox_id
from sandboxd.project.here import AgentSession, folders_above, sessions, workspace_of_folder
from sandboxd.status import text
from sandboxd.status.combine import Examined, combine
from sandboxd.status.examine import examine
from sandboxd.status.model import DaemonLine, StatusReport
from sandboxd.status.observe import Observed, Sandbox


@pytest.fixture
def folder(tmp_path: Path) -> str:
    (tmp_path / "weather/deep").mkdir(parents=True)
    return os.path.realpath(tmp_path / "weather")


def with_session(folder: str, name: str) -> None:
    own = session.session(os.environ, folder, "claude", name)
    session.write(os.environ, own, b'profile = "agent"\n')


def screen(folder: str, examined: Examined, observed: Observed, *sessions: AgentSession) -> str:
    row = combine(folder, examined, observed, sessions=sessions)
    report = StatusReport(DaemonLine(running=True, pid=1), UNKNOWN, (row,), here=folder)
    return text.render(report, colour=False, columns=100)


def never_started(name: str) -> AgentSession:
    return AgentSession(name, "claude", "not started", None)


def test_agents_are_named_whether_their_sandbox_is_there_or_not(folder: str) -> None:
    examined = examine(folder, os.environ, UNKNOWN)
    assert examined.is_bare and examined.problem == ""
    observed = Observed({sandbox_id(folder, "login"): Sandbox(True)})
    shown = screen(folder, examined, observed, never_started("claude"), never_started("login"))
    assert "beside        login running · claude not created" in shown
    assert "hint: `sandboxd agent` says what each agent goes on with" in shown
    assert "problem" not in shown


def test_what_each_agent_does_is_said_beside_its_sandbox(folder: str) -> None:
    for name in ("at-work", "cut-off", "done"):
        with_session(folder, name)
    observed = Observed({sandbox_id(folder, name): Sandbox(True) for name in ("at-work", "done")})
    at_work, cut_off, done = session.of_project(os.environ, folder)
    for own in (cut_off, done):
        with run.at_work(own):
            run.begin(own)
    with run.at_work(done):
        run.end(done)
    with run.at_work(at_work):
        run.begin(at_work)
        each = sessions(os.environ, folder)
    assert [(one.name, one.state) for one in each] == [
        ("at-work", "at work"),
        ("cut-off", "interrupted"),
        ("done", "ended"),
    ]
    early = tuple(one._replace(since=(one.since or 0.0) - 7200) for one in each)
    shown = " ".join(screen(folder, examine(folder, os.environ, UNKNOWN), observed, *early).split())
    assert "at-work running (agent at work 2 h)" in shown
    assert (
        "done running (agent ended 2 h ago) · cut-off not created (agent interrupted 2 h ago)"
        in shown
    )


def test_where_nothing_is_the_first_step_is_a_config(folder: str) -> None:
    shown = screen(folder, examine(folder, os.environ, UNKNOWN), Observed({}))
    assert "hint: `sandboxd init`" in shown


def test_a_config_of_an_editor_is_one(folder: str) -> None:
    (Path(folder) / ".devcontainer.json").write_text("{}")
    examined = examine(folder, os.environ, UNKNOWN)
    assert not examined.is_bare and examined.problem.startswith("no image is named")


def test_the_workspace_of_a_folder(folder: str) -> None:
    deep = f"{folder}/deep"
    assert workspace_of_folder(deep, os.environ) is None
    assert workspace_of_folder(deep, os.environ, {folder}) == folder
    with_session(folder, "claude")
    assert workspace_of_folder(deep, os.environ) == folder
    # A config of the user's is nearer than anything that is only known.
    (Path(folder).parent / "sandboxd.toml").write_text("")
    assert workspace_of_folder(deep, os.environ) == os.path.dirname(folder)


def test_a_record_that_is_none_hides_no_status(folder: str) -> None:
    with_session(folder, "claude")
    own = session.recall(os.environ, folder, "claude")
    assert own is not None
    (Path(own.folder) / session.RECORD).write_text("x")
    assert workspace_of_folder(folder, os.environ) is None


def test_the_root_is_no_workspace() -> None:
    assert list(folders_above("/")) == [] and list(folders_above("/usr")) == ["/usr"]
