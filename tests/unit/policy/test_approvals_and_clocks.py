"""An approval lasts as long as it was given for, whatever the machine's clock is set to meanwhile."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path

import pytest

from sandboxd.egress import elapsed
from sandboxd.egress.approvals import Approval
from sandboxd.egress.elapsed import Moment
from sandboxd.egress.names import pattern
from sandboxd.policy import approvals

NOON, HOUR = 1_000_000.0, 3600.0

Play = Callable[[str, float], None]


@pytest.fixture
def play(monkeypatch: pytest.MonkeyPatch) -> Play:
    """Sets the start of the machine, and how long ago it was."""

    def play(boot: str, seconds: float) -> None:
        monkeypatch.setattr(elapsed, "moment", lambda: Moment(boot, seconds))

    play("one", 0.0)
    return play


@pytest.fixture
def workspace(tmp_path: Path, play: Play) -> str:
    """Where a name was allowed at noon, for an hour."""
    path = tmp_path / "w"
    path.mkdir()
    for_an_hour = Approval(pattern("x.org"), (443,), True, NOON, "shell", NOON + HOUR)
    approvals.add(os.environ, str(path), for_an_hour)
    return str(path)


def ends(workspace: str, now: float) -> list[float]:
    return [each.until for each in approvals.of_project(os.environ, workspace, now)]


def test_what_has_ended_does_not_begin_again(workspace: str, play: Play) -> None:
    play("one", 2 * HOUR)
    assert ends(workspace, NOON + 2 * HOUR) == []
    for boot, seconds in (("one", 2.1 * HOUR), ("two", 10.0)):
        play(boot, seconds)
        assert ends(workspace, NOON + HOUR / 2) == []


def test_a_clock_that_is_set_back_lengthens_nothing_that_nobody_looked_at(
    workspace: str, play: Play
) -> None:
    play("one", 2 * HOUR)
    assert ends(workspace, NOON + HOUR / 2) == []


def test_what_is_left_is_left_by_a_clock_that_was_set_back(workspace: str, play: Play) -> None:
    play("one", HOUR / 2)
    assert ends(workspace, NOON - 24 * HOUR) == [NOON - 23.5 * HOUR]


def test_small_corrections_change_no_policy(workspace: str, play: Play) -> None:
    play("one", 100.0)
    for error in (-5.0, 0.0, 5.0):
        assert ends(workspace, NOON + 100 + error) == [NOON + HOUR]


def test_after_a_restart_one_of_the_future_counts_for_nothing(workspace: str, play: Play) -> None:
    play("two", 5.0)
    assert ends(workspace, NOON - HOUR) == []


def test_after_a_restart_it_goes_on_to_its_end(workspace: str, play: Play) -> None:
    play("two", 5.0)
    assert ends(workspace, NOON + HOUR / 2) == [NOON + HOUR]
    assert ends(workspace, NOON + HOUR) == []


def test_one_without_an_end_has_none(workspace: str, play: Play) -> None:
    lasting = Approval(pattern("y.org"), (443,), True, NOON, "shell")
    approvals.add(os.environ, workspace, lasting)
    play("one", 100 * HOUR)
    assert ends(workspace, NOON - 100 * HOUR) == [0.0]


def test_a_file_of_before_is_read(workspace: str) -> None:
    path = Path(os.environ["XDG_CONFIG_HOME"]) / "sandboxd" / approvals.FILE_NAME
    text = path.read_text()
    lines = [line for line in text.splitlines() if not line.startswith(("boot", "passed"))]
    assert len(lines) == len(text.splitlines()) - 2
    path.write_text("\n".join(lines))
    assert ends(workspace, NOON + 1) == [NOON + HOUR]
    assert ends(workspace, NOON - HOUR) == []
