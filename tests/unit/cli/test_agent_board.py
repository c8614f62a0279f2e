"""The board of an agent's sessions: a row each, what runs first, what waits for you beside it."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from sandboxd.agents import run, session
from sandboxd.cli import agent_board, agent_list
from sandboxd.cli.agent_board import Row

NOW = 1_000_000.0
BOARD = """\
SESSION  AGENT   STATE        SINCE   FILES  COMMITS  DENIED  ASKS
two      claude  at work      5 s     12     1000+    2       1
claude   claude  at work      12 min  0      0        0       0
codex    codex   interrupted  3 h     -      -        -       -
latest   claude  ended        1 min   3      0        0       0
old      claude  ended        9 d     1      2        -       -
new      gemini  not started  -       -      -        -       -
"""


def row(name: str, state: run.State, ago: float | None, *counts: int | None) -> Row:
    agent = {"codex": "codex", "new": "gemini"}.get(name, "claude")
    files, commits, denied, waiting = counts or (None,) * 4
    since = None if ago is None else NOW - ago
    return Row(name, agent, state, since, files, commits, denied, waiting)


def test_what_runs_is_first_and_of_each_kind_the_latest() -> None:
    rows = [
        row("old", "ended", 9 * 86400.0, 1, 2, None, None),
        row("claude", "at work", 720.0, 0, 0, 0, 0),
        row("new", "not started", None),
        row("latest", "ended", 60.0, 3, 0, 0, 0),
        row("codex", "interrupted", 3 * 3600.0),
        row("two", "at work", 5.0, 12, 1000, 2, 1),
    ]
    assert "\n".join(agent_board.lines(rows, NOW)) + "\n" == BOARD


def test_no_row_is_wider_than_a_screen_or_drives_the_terminal() -> None:
    long = row("n" * 90, "interrupted", 3e6, 100_000, 1000, 10_000, 1000)._replace(
        agent="\x1b" * 60
    )
    for line in agent_board.lines([long], NOW):
        assert len(line) <= 80 and line.isprintable()


def test_sandboxd_agent_shows_it_and_the_way_back_of_what_was_interrupted(
    own_home: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("DOCKER_HOST", "unix:///nowhere/docker.sock")
    project = own_home / "weather"
    project.mkdir()
    own = session.session(os.environ, str(project), "claude", "two")
    session.write(os.environ, own, b"")
    with run.at_work(own):
        run.begin(own)
        agent_list.show(str(project))
    out, err = capsys.readouterr()
    assert "two      claude  at work" in out and "interrupted" not in err
    agent_list.show(str(project))
    out, err = capsys.readouterr()
    assert "two      claude  interrupted" in out
    assert "two           was interrupted: `sandboxd agent claude --name two --resume`" in err
