"""An open network has no gateway that could close it: whoever takes it back hears that it is open until its end."""

from __future__ import annotations

from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from sandboxd.cli import following as screen
from sandboxd.errors import EXIT_NOT_HELD, EnvironmentFailure
from sandboxd.life import find
from sandboxd.operations import following, gateway, given_at_start
from sandboxd.operations.following import Outcome
from sandboxd.policy import trust
from sandboxd.project import Project
from sandboxd.state import given_rights
from tests.unit.operations.running_project import Running, play

OPEN = '[network]\nmode = "open"\n'


@pytest.fixture
def running(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Running:
    """A project whose sandbox runs with an open network that was granted."""
    played = play(tmp_path, monkeypatch)
    monkeypatch.setattr(gateway, "running_sandbox", lambda *_: None)
    played.write(OPEN, trusted=True)
    start(played)
    return played


def start(running: Running, *, is_open: bool = True) -> None:
    project = Project.open(str(running.path), running.environ)
    given_at_start.note(project, running.container, None, is_open=is_open)


def outcomes(running: Running, *containers: str) -> tuple[Outcome, ...]:
    """What each way of applying the rights says of it, where the engine has `containers`."""
    present = [SimpleNamespace(id=each) for each in containers]
    engine: Any = SimpleNamespace(containers=lambda *_: present, info=dict)
    one = following.follow_one(str(running.path), running.environ, lambda: engine)
    return (one, *following.follow_all(running.environ, lambda _: engine))


def policy(running: Running, text: str) -> None:
    path = Path(running.environ["XDG_CONFIG_HOME"], "sandboxd", "policy.toml")
    path.write_text(text)
    path.chmod(0o600)


def test_one_that_may_be_open_is_no_problem(running: Running) -> None:
    assert [each.problem for each in outcomes(running, "c1")] == ["", ""]
    running.write(f"{OPEN}# edited\n", trusted=False)
    assert [each.behind for each in outcomes(running, "c1")] == ["", ""], "its grant is there"


@pytest.mark.parametrize(
    "by_policy", ["", 'network = "allow"\n', 'network = "none"\n', "network ="]
)
def test_one_that_is_taken_back_is_said_until_its_end(
    running: Running, monkeypatch: pytest.MonkeyPatch, by_policy: str
) -> None:
    if by_policy:
        policy(running, by_policy)
    else:
        trust.revoke(running.environ, str(running.path))
    told = outcomes(running, "c1")
    assert len(told) == 2
    assert all("open until it ends" in each.behind and "down" in each.hint for each in told)
    with monkeypatch.context() as patched:
        patched.setattr(following, "follow_all", lambda *_, **__: told)
        assert screen.follow() == EXIT_NOT_HELD
    assert outcomes(running)[-1].ended == "c1" and given_rights.entries(running.environ) == ()


def test_one_that_the_profile_opens_needs_no_grant(running: Running) -> None:
    running.write("# nothing\n", trusted=True)
    start(running)
    trust.revoke(running.environ, str(running.path))
    assert [each.problem for each in outcomes(running, "c1")] == ["", ""]


def test_one_whose_file_was_agreed_to_anew_may_be_open(running: Running) -> None:
    running.write(f"{OPEN}# edited\n", trusted=True)
    trust.revoke(running.environ, str(running.path))
    running.write(f"{OPEN}# edited again\n", trusted=True)
    assert [each.problem for each in outcomes(running, "c1")] == ["", ""]
    running.write('[network]\nmode = "allow"\n', trusted=True)
    assert all(each.behind for each in outcomes(running, "c1"))


def test_one_that_has_ended_is_open_no_more(running: Running) -> None:
    record = given_rights.recall(running.environ, str(running.path))
    assert record is not None and record.is_open
    assert not record.of_ended(()).is_open


def test_one_without_a_network_is_not_said(running: Running) -> None:
    start(running, is_open=False)
    trust.revoke(running.environ, str(running.path))
    assert [each.problem for each in outcomes(running, "c1")] == [""]


def test_it_is_noted_before_its_container_runs(running: Running) -> None:
    """A start that is killed then has told that one may run."""
    given_rights.forget(running.environ, str(running.path))
    project = Project.open(str(running.path), running.environ)
    engine: Any = SimpleNamespace(containers=lambda *_: [SimpleNamespace(id="c1")], info=dict)
    with given_at_start.note_open(engine, project, "", print) as save:
        assert given_rights.entries(running.environ) == ()
        save()
        record = given_rights.recall(running.environ, project.sandbox)
        assert record is not None and record.is_open and record.is_granted
    trust.revoke(running.environ, project.workspace)
    told = outcomes(running, "c1")
    assert len(told) == 2 and all("open until it ends" in each.behind for each in told)
    start(running)
    record = given_rights.recall(running.environ, project.sandbox)
    assert record is not None and (record.container, record.is_open) == ("c1", True)


@pytest.mark.parametrize("runs", [False, True])
@pytest.mark.parametrize("is_first", [False, True])
def test_a_start_that_fails_is_noted_where_something_is_left_of_it(
    running: Running, monkeypatch: pytest.MonkeyPatch, runs: bool, is_first: bool
) -> None:
    if is_first:
        given_rights.forget(running.environ, str(running.path))
    before = given_rights.recall(running.environ, str(running.path))
    project = Project.open(str(running.path), running.environ)
    monkeypatch.setattr(find, "sandboxes_of", lambda *_: ["one"] if runs else [])
    engine: Any = None
    with (
        pytest.raises(EnvironmentFailure),
        given_at_start.note_open(engine, project, "", print) as save,
    ):
        save()
        save()
        raise EnvironmentFailure("it does not start", "")
    record = given_rights.recall(running.environ, str(running.path))
    if runs:
        assert record is not None and (record.container, record.is_open) == ("", True)
    else:
        assert record == before


def test_what_the_gateway_before_it_had_stays_used_up(running: Running) -> None:
    """Until that is written where the answers are."""
    record = given_rights.recall(running.environ, str(running.path))
    assert record is not None
    had = record._replace(is_open=False, once=("1",), spent=("2",))
    given_rights.keep(running.environ, str(running.path), had)
    project = Project.open(str(running.path), running.environ)
    engine: Any = None
    with given_at_start.note_open(engine, project, "", print) as save:
        save()
    record = given_rights.recall(running.environ, str(running.path))
    assert record is not None and set(record.spent) == {"1", "2"}
