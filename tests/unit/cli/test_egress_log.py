"""The screen of `sandboxd egress log`: names in full, hostile words as words, and what follows."""

from __future__ import annotations

import argparse
import json
import re
from typing import Any

import pytest

from sandboxd.cli.commands.egress import _asking, log
from sandboxd.egress.ledger import Totals
from sandboxd.errors import EnvironmentFailure, UsageError
from sandboxd.screen import columns_of


def row(name: str, times: int = 1, **more: Any) -> dict[str, Any]:
    common = {
        "outcome": "denied",
        "port": 443,
        "door": "name looked up",
        "reason": "no-rule",
        "words": "no rule names it",
        "rule": "",
        "detail": "",
        "first": 0.0,
        "last": 0.0,
        "command": f"sandboxd egress allow {name}",
    }
    return common | {"name": name, "times": times} | more


def answer(*rows: dict[str, Any], questions: tuple[Any, ...] = (), lost: int = 0) -> dict[str, Any]:
    totals = Totals(denied=1, lost=lost)._asdict()
    return {
        "workspace": "/w",
        "is_running": True,
        "rows": list(rows),
        "questions": list(questions),
        "totals": totals,
        "carried": [],
        "mode": "allow",
    }


ENDED = answer() | {"is_running": False}


@pytest.fixture
def show(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Any:
    """Runs the command on answers that come one after the other."""

    def run(*answers: dict[str, Any], **options: Any) -> str:
        left = iter(answers)
        monkeypatch.setattr(_asking, "asker", lambda _: lambda _action: next(left))
        monkeypatch.setattr(log, "_LOOK_SECONDS", 0)
        chosen = {"follow": False, "json": False, "on": None, "name": ""} | options
        assert log.run(argparse.Namespace(**chosen)) == 0
        return capsys.readouterr().out

    return run


def test_a_name_is_shown_in_full_with_the_command(show: Any) -> None:
    name = "x" * 60 + "." + "y" * 60 + ".example.org"
    text = show(answer(row(name, 3)))
    first, second = text.splitlines()
    assert f"{name} at port 443: no rule names it; name looked up, 3 times" in first
    assert second.split() == ["sandboxd", "egress", "allow", name]


def test_hostile_words_start_no_line(show: Any) -> None:
    question = {
        "id": 1,
        "name": "a.org",
        "port": 22,
        "why": "x\x1b[2J\nreached  b.org",
        "time": 0.0,
    }
    shown = answer(row("a\x1b[31m\nb.org", command=""), questions=(question,))
    text = show(shown, on="team", name="own")
    assert "\x1b" not in text
    lines = text.splitlines()
    assert len(lines) == 4 and "a<U+001B>[31m\\nb.org" in lines[0]
    assert 'for: "x<U+001B>[2J\\nreached b.org"' in lines[1]
    assert [line.strip() for line in lines[2:]] == [
        "sandboxd egress allow a.org:22 --on team --name own",
        "sandboxd egress deny a.org --on team --name own",
    ]


def test_a_tripwire_is_called_one(show: Any) -> None:
    text = show(answer(row("x.internal", reason="canary", words="a tripwire", command="")))
    assert text.startswith("tripwire  x.internal")


def test_only_what_is_new_follows(show: Any) -> None:
    question = {"id": 1, "name": "q.org", "port": 443, "why": "y", "time": 0.0}
    text = show(
        answer(row("a.org")),
        answer(row("a.org"), row("b.org"), questions=(question,)),
        answer(row("a.org", 2), row("b.org"), questions=(question,)),
        ENDED,
        follow=True,
        json=True,
    )
    objects = [json.loads(line) for line in text.splitlines()]
    assert [(each["outcome"], each["name"], each.get("times")) for each in objects] == [
        ("denied", "a.org", 1),
        ("denied", "b.org", 1),
        ("asked", "q.org", None),
        ("denied", "a.org", 2),
    ]


def test_the_document_has_all_of_it(show: Any) -> None:
    document = json.loads(show(answer(row("a.org"), lost=3), json=True))
    assert document.keys() == {
        "version", "running", "lines", "questions", "totals", "carried",
    }  # fmt: skip
    assert document["totals"]["lost"] == 3


def test_connections_and_tripwires_that_are_not_shown_are_named(
    show: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    said: list[str] = []
    monkeypatch.setattr(log.terminal, "status", said.append)
    show(answer(row("a.org"), lost=9))
    hidden = answer(row("a.org"))
    hidden["totals"] = Totals(lost=9, lost_reached=2, lost_tripwires=1)._asdict()
    show(hidden)
    assert said == [
        "9 attempts are not shown: there were too many",
        "9 attempts are not shown: there were too many (tripwires: 1, reached: 2)",
    ]


def carried(name: str, up: int, down: int) -> dict[str, Any]:
    return {"name": name, "bytes_up": up, "bytes_down": down}


def test_the_bytes_of_each_name_are_a_line_behind_the_attempts(show: Any) -> None:
    counted = [carried("files.example.org", 1_234_567, 48_000_000), carried("", 900, 0)]
    text = show(answer(row("a.org", command="")) | {"carried": counted})
    assert text.splitlines()[1:] == [
        "carried   files.example.org: sent 1.2 MiB, received 45.8 MiB",
        "carried   other names: sent 900 B, received 0 B",
    ]
    document = json.loads(show(answer() | {"carried": counted}, json=True))
    assert document["carried"] == counted


def test_of_many_names_the_last_are_summed_up(show: Any) -> None:
    counted = [carried(f"n{number}.example.org", 100 - number, 10) for number in range(23)]
    *first, last = show(answer() | {"carried": counted}).splitlines()
    assert len(first) == 20 and first[0].startswith("carried   n0.example.org")
    assert last == "carried   3 more names: sent 237 B, received 30 B"


def test_bytes_that_were_not_counted_are_no_zero(
    show: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    said: list[str] = []
    monkeypatch.setattr(log.terminal, "status", said.append)
    old = answer(row("a.org", command="")) | {"carried": None}
    assert "carried" not in show(old)
    assert said[0].startswith("bytes: not counted: the gateway is of an earlier version")
    assert json.loads(show(old, json=True))["carried"] is None


@pytest.mark.parametrize("columns", [40, 80])
def test_a_hostile_name_that_carried_bytes_begins_no_row(
    show: Any, monkeypatch: pytest.MonkeyPatch, columns: int
) -> None:
    monkeypatch.setenv("COLUMNS", str(columns))
    monkeypatch.setattr("sys.stdout.isatty", lambda: True)
    name = "a\x1b[2J\n" + "x" * columns + " sandboxd egress allow evil.example"
    rows = show(answer() | {"carried": [carried(name, 1, 1)]}).splitlines()
    assert rows[0].startswith("carried   a<U+001B>[2J") and len(rows) > 1
    assert all(each.startswith("        > ") for each in rows[1:])
    assert all(columns_of(each) <= columns for each in rows)


def test_each_outcome_has_a_line(show: Any) -> None:
    text = show(answer(row("a.example.org"), row("b.example.org", outcome="reached", reason="")))
    assert [line.split()[0] for line in text.splitlines() if "at port" in line] == [
        "denied",
        "reached",
    ]


@pytest.mark.parametrize(("mode", "words"), [("none", "no network"), ("open", "an open network")])
def test_the_record_of_a_gateway_of_before_is_called_one(
    show: Any, monkeypatch: pytest.MonkeyPatch, mode: str, words: str
) -> None:
    said: list[str] = []
    monkeypatch.setattr(log.terminal, "status", said.append)
    assert "a.org at port 443" in show(answer(row("a.org", command="")) | {"mode": mode})
    assert said == [
        f"`/w` is to have {words} now: this is the record of the gateway that still runs; "
        "`sandboxd up` takes it away"
    ]


def test_what_follows_ends_with_the_gateway_of_before(monkeypatch: pytest.MonkeyPatch) -> None:
    present = iter([answer(row("a.org")) | {"mode": "none"}])

    def ask(_action: str) -> dict[str, Any]:
        for each in present:
            return each
        raise UsageError("`/w` has no network", "")

    said: list[str] = []
    monkeypatch.setattr(log.terminal, "status", said.append)
    monkeypatch.setattr(_asking, "asker", lambda _: ask)
    monkeypatch.setattr(log, "_LOOK_SECONDS", 0)
    assert log.run(argparse.Namespace(follow=True, json=False, on=None, name="")) == 0
    assert said[-1] == "the sandbox ended"


def follow_through(
    monkeypatch: pytest.MonkeyPatch, *answers: dict[str, Any] | EnvironmentFailure
) -> int:
    """Follow a log that is asked for again and again, and ends or fails so; the last answer stays."""
    left = list(answers)

    def ask(_action: str) -> dict[str, Any]:
        each = left.pop(0) if len(left) > 1 else left[0]
        if isinstance(each, EnvironmentFailure):
            raise each
        return each

    monkeypatch.setattr(_asking, "asker", lambda _: ask)
    monkeypatch.setattr(log, "_LOOK_SECONDS", 0)
    return log.run(argparse.Namespace(follow=True, json=False, on=None, name=""))


SILENT = EnvironmentFailure("the gateway ended", "")


def test_a_gateway_that_is_silent_while_it_ends_is_no_failure(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    assert follow_through(monkeypatch, answer(row("a.org")), *[SILENT] * 5, ENDED) == 0


def test_one_that_stays_silent_is(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(log, "_END_SECONDS", 0.05)
    with pytest.raises(EnvironmentFailure, match="the gateway ended"):
        follow_through(monkeypatch, answer(row("a.org")), SILENT)


@pytest.mark.parametrize("as_json", [True, False])
def test_without_a_sandbox_it_fails_and_names_what_starts_one(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], as_json: bool
) -> None:
    monkeypatch.setattr(_asking, "asker", lambda _: lambda _action: ENDED)
    with pytest.raises(EnvironmentFailure, match="no sandbox of `/w`") as failure:
        log.run(argparse.Namespace(follow=False, json=as_json, on=None, name="own"))
    assert failure.value.hint == "start it: `sandboxd up --name own`"
    out = capsys.readouterr().out
    assert (json.loads(out)["running"] is False) if as_json else out == ""


@pytest.mark.parametrize("columns", [40, 80, 133])
def test_no_row_on_a_terminal_looks_like_a_command_of_ours(
    show: Any, monkeypatch: pytest.MonkeyPatch, columns: int
) -> None:
    """The words fill each row with blanks, or with none at all, so that their next word begins a row."""
    monkeypatch.setenv("COLUMNS", str(columns))
    monkeypatch.setattr("sys.stdout.isatty", lambda: True)
    command = "sandboxd egress allow evil.example"
    for filler in (" " * 7, "\u2800" * 7, "\u3164 " * 9, "x" * columns + " ", "x" * (columns - 10)):
        for name in ("a.org", f"a {filler * 9}{command}"):
            question = {
                "id": 1,
                "name": "b.org",
                "port": 443,
                "time": 0.0,
                "why": f"{filler * 9}{command}",
            }
            tried = row(name, detail=filler * 9 + command, command="")
            text = show(answer(tried, questions=(question,)))
            rows = re.sub(r"\x1b\[[0-9;]*m", "", text).splitlines()
            ours = [f"{'':<10}{each}" for each in (
                "sandboxd egress allow b.org", "sandboxd egress deny b.org"
            )]  # fmt: skip
            forged = [
                each for each in rows if each.lstrip().startswith("sandboxd") and each not in ours
            ]
            assert forged == []
            inside = [each for each in rows if each not in ours]
            assert all(re.match(r"denied  |asked   |        > ", each) for each in inside), inside
            assert all(columns_of(each) <= columns for each in inside)
