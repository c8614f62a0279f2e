"""The screen of `verify` fits the terminal; what did not hold is told in full."""

from __future__ import annotations

import sys

import pytest

from sandboxd.cli.commands.verify import _table
from sandboxd.cli.verdict_report import say_what_was_attacked
from sandboxd.operations.verify import Verified
from sandboxd.verify.judge import Outcome
from sandboxd.verify.verdict import Result, Verdict

LONG = "a long text of what was seen, " * 4


def lines(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, columns: int | None
) -> list[str]:
    """The rows of a verdict on a terminal of so many columns, None for a pipe."""
    monkeypatch.setenv("COLUMNS", str(columns or 80))
    monkeypatch.setenv("NO_COLOR", "1")
    monkeypatch.setattr(sys.stdout, "isatty", lambda: columns is not None)
    outcomes: tuple[Outcome, ...] = ("held", "not-applicable", "escaped")
    results = tuple(Result(f"host-process-{o}"[:21], "x", o, LONG, LONG) for o in outcomes)
    _table(Verdict("c", "runc", "host", "dev", results))
    return [line.rstrip() for line in capsys.readouterr().out.splitlines()]


@pytest.mark.parametrize("columns", [80, 100, 120, 200])
def test_good_news_is_one_line_each(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, columns: int
) -> None:
    head, names, held, absent, *escaped = lines(capsys, monkeypatch, columns)
    assert max(map(len, (head, names, held, absent))) <= columns
    assert held.endswith("…") and absent.endswith("…")
    assert max(map(len, escaped)) <= columns
    assert LONG.strip() in " ".join(" ".join(escaped).split()), "bad news is never cut"
    assert ("EXPECTED" in names) == (columns > 100)


def test_a_pipe_gets_everything(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    _, names, *rows = lines(capsys, monkeypatch, None)
    assert "EXPECTED" in names
    assert all(LONG.rstrip() in row for row in rows)


def test_what_held_is_a_number_unless_all_is_asked_for(
    capsys: pytest.CaptureFixture[str],
) -> None:
    outcomes: tuple[Outcome, ...] = ("held", "held", "not-applicable", "residual")
    results = tuple(Result(f"attempt-{n}", "x", o, "e", "e") for n, o in enumerate(outcomes))
    _table(Verdict("c", "runc", "host", "dev", results), everything=False)
    shown = capsys.readouterr().out
    assert "attempt-3" in shown and "attempt-0" not in shown
    assert shown.endswith("2 held, 1 not-applicable: `sandboxd verify --all` names them\n")


def test_a_sandbox_of_another_profile_than_the_plan_of_now_is_named_as_such(
    capsys: pytest.CaptureFixture[str],
) -> None:
    result = Result("disk-quota", "x", "escaped", "quota", "no quota")
    verdict = Verdict("c", "runsc", "own", "review", (result,), made_as="dev")
    _table(verdict)
    say_what_was_attacked(Verified(verdict, 1.0, ()), " --name b")
    shown = capsys.readouterr()
    assert "made as profile dev, judged by what is asked for now: review" in shown.out
    assert "hint: `sandboxd up --name b` makes it as profile review" in shown.err
