"""What is said when an agent has ended: what it did, and each next command whole, on a line of its own."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from sandboxd.agents import catalog, run, session
from sandboxd.agents.session import Session
from sandboxd.cli import agent_attended, agent_epilogue, agent_list
from sandboxd.cli.agent_attended import Door, Ended
from sandboxd.cli.agent_work import Work
from sandboxd.errors import EnvironmentFailure

DENIED = {
    "name": "example.org",
    "port": 443,
    "times": 3,
    "command": "sandboxd egress allow example.org",
}
WHOLE = """\
Claude Code ended; 1 file changed in its copy, 2 commits made there
  M weather.sh  +1 -0
denied        `example.org:443`: `sandboxd egress allow example.org`
sent          1.1 MiB to 2 names, most to `b.org`; 45.8 MiB received
look          `sandboxd review --name two --diff`
bring files   `sandboxd review --name two --apply`
bring commits `sandboxd review --name two --save`
go on         `sandboxd agent claude --name two --resume`
end it        `sandboxd down --name two`
"""
NOTHING = """\
Claude Code ended with exit code 7; 0 files changed in its copy
go on         `sandboxd agent claude --name two --resume`
end it        `sandboxd down --name two`
"""


@pytest.fixture
def own(own_home: Path) -> Session:
    project = own_home / "weather"
    project.mkdir()
    environ = {"HOME": str(own_home), "XDG_STATE_HOME": str(own_home / "state")}
    own = session.session(environ, str(project), "claude", "two")
    session.write(environ, own, b"")
    return own


def said(
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
    own: Session,
    ended: Ended,
    work: Work,
) -> str:
    monkeypatch.setattr(agent_epilogue, "_work", lambda *_: work)
    agent_epilogue.conclude(own, catalog.load("claude", {}), ended, agent_attended.here(own, []))
    out, err = capsys.readouterr()
    assert out == ""
    return str(err)


def test_each_command_is_whole_and_has_its_line(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, own: Session
) -> None:
    sent = "1.1 MiB to 2 names, most to `b.org`; 45.8 MiB received"
    work = Work(["M weather.sh  +1 -0"], 2, True, [DENIED], sent)
    assert said(capsys, monkeypatch, own, Ended(0, False), work) == WHOLE
    assert said(capsys, monkeypatch, own, Ended(7, False), Work([], 0, False)) == NOTHING


@pytest.mark.parametrize(("commits", "is_offered"), [(0, False), (1, True), (None, True)])
def test_commits_are_offered_where_there_are_any_or_nobody_can_count_them(
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
    own: Session,
    commits: int | None,
    is_offered: bool,
) -> None:
    """A changed work tree is in a bundle, too."""
    text = said(capsys, monkeypatch, own, Ended(0, False), Work(["M a  +1 -0"], commits, True))
    assert ("bring commits" in text) is is_offered
    assert "--diff" in text


@pytest.mark.parametrize(
    ("carried", "words"),
    [
        ([{"name": "a.org", "bytes_up": 9, "bytes_down": 1}], "9 B to `a.org`; 1 B received"),
        ([], ""),
        (None, "not counted: the gateway is of an earlier version, or its first events are gone"),
    ],
)
def test_what_its_gateway_counted_is_said_in_words(
    monkeypatch: pytest.MonkeyPatch, own: Session, carried: Any, words: str
) -> None:
    row = DENIED | {"outcome": "denied", "words": "no rule names it"}
    log = {"is_running": True, "rows": [row], "carried": carried}
    monkeypatch.setattr(agent_list, "operate", lambda *_: log)
    denied, sent = agent_list.network(own)
    assert ([each["name"] for each in denied], sent) == (["example.org"], words)


def test_of_a_gateway_that_does_not_answer_nothing_is_said(
    monkeypatch: pytest.MonkeyPatch, own: Session
) -> None:
    monkeypatch.setattr(agent_list, "operate", lambda *_: {"is_running": False})
    assert agent_list.network(own) == ([], "")


def test_much_is_counted(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, own: Session
) -> None:
    work = Work([f"A {number}" for number in range(20)], 1000, True, [DENIED] * 7)
    text = said(capsys, monkeypatch, own, Ended(130, True), work)
    first, *lines = text.splitlines()
    assert first == (
        "Claude Code was interrupted; 20 files changed in its copy, 1000 commits or more made there"
    )
    assert "  and 8 more" in lines
    assert "denied        2 more: `sandboxd egress log --name two`" in lines


def test_an_interrupted_run_is_130_and_stays_interrupted_whatever_the_agent_says(
    own: Session,
) -> None:
    def end_well(_env: list[str], *, heard: Any, **_options: Any) -> int:
        heard(2)
        return 0

    def collect() -> Any:
        raise EnvironmentFailure("nothing is collected here")

    agent = catalog.load("claude", {})
    with run.at_work(own):
        ended = agent_attended.attend_until_end(
            own, agent, (), Door("", end_well, collect), has_terminal=False
        )
    assert ended == Ended(130, is_interrupted=True)
    last = run.last(own)
    assert last is not None and last.is_interrupted

    with run.at_work(own):
        ended = agent_attended.attend_until_end(
            own, agent, (), Door("", lambda *_, **__: 3, collect), has_terminal=False
        )
    assert ended == Ended(3, is_interrupted=False)
    last = run.last(own)
    assert last is not None and not last.is_interrupted
