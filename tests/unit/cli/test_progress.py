"""Progress on a terminal: work is one line that changes, and what a person has to read stays."""

from __future__ import annotations

import io

import pytest

from sandboxd.cli import progress


class Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


def shown(text: str) -> list[str]:
    """What stands on the terminal in the end: a return with an erased line takes back the line."""
    return [line.rpartition("\r\x1b[K")[2] for line in text.split("\n")]


def as_stderr(monkeypatch: pytest.MonkeyPatch, stream: io.StringIO) -> None:
    """For the test itself: pytest puts its own stream there before each phase."""
    monkeypatch.setattr("sys.stderr", stream)


def test_work_is_replaced_and_a_note_stays(monkeypatch: pytest.MonkeyPatch) -> None:
    as_stderr(monkeypatch, terminal := Terminal())
    line = progress.OneLine()
    line.say("making the inner network of this project", False)
    line.say("mounts not compared: another user's `up` hides them", False)
    line.say("starting `app` from `alpine`", False)
    line.say("3 of 4 attempts", True)
    progress.clear()
    assert shown(terminal.getvalue()) == ["mounts not compared: another user's `up` hides them", ""]


def test_after_the_end_of_the_work_each_line_stays(monkeypatch: pytest.MonkeyPatch) -> None:
    as_stderr(monkeypatch, terminal := Terminal())
    line = progress.OneLine()
    line.say("starting `app`", False)
    line.say("", True)
    line.say("making tea, says a hook", False)
    assert shown(terminal.getvalue()) == ["making tea, says a hook", ""]


def test_without_a_terminal_all_is_said(monkeypatch: pytest.MonkeyPatch) -> None:
    as_stderr(monkeypatch, stream := io.StringIO())
    line = progress.OneLine()
    line.say("starting `app`", False)
    line.say("3 of 4 attempts", True)
    line.say("mounts not compared", False)
    assert stream.getvalue() == "starting `app`\nmounts not compared\n"
