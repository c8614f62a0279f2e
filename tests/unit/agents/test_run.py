"""What is known on the host of an agent's last run: who attends it, and whether its end was seen."""

from __future__ import annotations

import time
from pathlib import Path

import pytest

from sandboxd.agents import run
from sandboxd.errors import UsageError
from tests.unit.agents.test_session import make, project

__all__ = ["project"]


def test_one_session_has_one_agent_at_work(project: str) -> None:
    own = make(project)
    with run.at_work(own), pytest.raises(UsageError, match="is at work on"), run.at_work(own):
        pass
    with run.at_work(own):
        pass


def test_whether_it_is_attended_is_seen_and_disturbs_nobody(project: str) -> None:
    own = make(project)
    assert run.last(own) is None
    before = time.time() - 1
    with run.at_work(own):
        last = run.last(own)
        assert last is not None and last.is_attended and last.since >= before
        with pytest.raises(UsageError, match="at work"), run.at_work(own):
            pass
    last = run.last(own)
    assert last is not None and not last.is_attended
    with run.at_work(own):
        pass


def test_a_run_whose_end_was_not_seen_is_interrupted(project: str) -> None:
    own = make(project)
    with run.at_work(own):
        mark = run.begin(own)
        last = run.last(own)
        assert last is not None and (last.mark, last.is_interrupted) == (mark, False)
    last = run.last(own)
    assert last is not None and (last.mark, last.is_interrupted) == (mark, True)
    # What is taken up has the mark of the one before until it is begun itself.
    with run.at_work(own):
        last = run.last(own)
        assert last is not None and last.mark == mark
        assert run.begin(own) != mark
        run.end(own)
    last = run.last(own)
    assert last is not None and (last.mark, last.is_interrupted) == ("", False)


def test_what_is_no_mark_is_none(project: str) -> None:
    own = make(project)
    Path(own.folder, "lock").write_text("$(reboot) and more")
    last = run.last(own)
    assert last is not None and last.mark == ""
