"""Reports of verify: everything is on the page, and hostile text stays text."""

from __future__ import annotations

import json
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import pytest

from sandboxd.cli import reports, verdict_report
from sandboxd.errors import SandboxdError, UsageError
from sandboxd.observe.control import Control
from sandboxd.render.pages import verdict_html, verdict_markdown
from sandboxd.verify.document import changes, document, load
from sandboxd.verify.judge import OUTCOMES
from sandboxd.verify.verdict import Result, Verdict

HOSTILE = '<script>alert(1)</script> | `x` [a](javascript:b) \x1b[2J\n"quote" & more'


def report_of(**outcomes: str) -> dict[str, Any]:
    results = [Result(name, f"do {name}", o, "a wall", HOSTILE) for name, o in outcomes.items()]  # type: ignore[arg-type]
    verdict = Verdict(HOSTILE, "runc", "host", "dev", tuple(results))
    controls = (Control(HOSTILE, "in force", HOSTILE),)
    return document(verdict, controls, "2026-01-01T00:00:00+00:00", 1.23, "6.1")


@pytest.mark.parametrize(
    ("outcomes", "words"),
    [
        ({"a": "held"}, "The sandbox held against 1 of 1 attempts."),
        ({"a": "held", "b": "residual"}, "held against 1 of 2 attempts. 1 is open on purpose."),
        ({"a": "held", "b": "not-applicable"}, "held against 1 of 2 attempts. 1 does not apply."),
        (
            {
                "a": "held",
                **dict.fromkeys("bc", "residual"),
                **dict.fromkeys("de", "not-applicable"),
            },
            "held against 1 of 5 attempts. 2 are open on purpose, 2 do not apply.",
        ),
        ({"a": "held", "b": "inconclusive"}, "Not shown to hold: 1 of 2 attempts is unclear."),
    ],
)
def test_the_verdict_counts_each_outcome(outcomes: dict[str, str], words: str) -> None:
    assert words in verdict_html.render(report_of(**outcomes))


class Tags(HTMLParser):
    def __init__(self) -> None:
        super().__init__()
        self.names: list[str] = []
        self.open: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.names.append(tag)
        if tag not in ("meta", "br"):
            self.open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag


def test_the_page_is_whole_and_safe() -> None:
    page = verdict_html.render(report_of(**{o: o for o in OUTCOMES}))
    tags = Tags()
    tags.feed(page)
    assert tags.open == []
    assert "script" not in tags.names and "img" not in tags.names and "link" not in tags.names
    assert "http:" not in page and "https:" not in page and "\x1b" not in page
    assert page.count("<tbody>") == len(OUTCOMES) + 1
    assert f"did not hold: 1 of {len(OUTCOMES)}" in page
    assert page.index("Escaped (1)") < page.index("Not shown (1)") < page.index("Held (1)")


@pytest.mark.parametrize(
    ("outcomes", "words"),
    [
        ({"a": "held", "b": "residual"}, "held against 1 of 2 attempts. 1 is open on purpose."),
        ({"a": "held", "b": "inconclusive"}, "Not shown to hold: 1 of 2"),
    ],
)
def test_the_page_says_what_came_out(outcomes: dict[str, str], words: str) -> None:
    assert words in verdict_html.render(report_of(**outcomes))


def test_markdown_keeps_its_table() -> None:
    page = verdict_markdown.render(report_of(a="held", b="escaped"))
    rows = [line for line in page.splitlines() if line.startswith("| `")]
    assert [line.count("|") for line in rows] == [5, 5]
    assert rows[0].startswith("| `b`") and "**escaped**" in rows[0]
    assert "<script" not in page and "\x1b" not in page


def test_markdown_names_what_was_attacked() -> None:
    text = report_of(a="held")
    assert "Runtime `runc`, the host's kernel, profile `dev`," in verdict_markdown.render(text)
    page = verdict_markdown.render({**text, "profile": "", "kernel": "own", "runtime": "gv"})
    assert "Runtime `gv`, a kernel of its own, profile `none`," in page
    assert "host kernel 6.1, taken 2026-01-01" in page


def test_a_report_s_name_is_checked_before_anything_runs(tmp_path: Path) -> None:
    for name in ("report", "report.pdf", str(tmp_path / "none/report.html")):
        with pytest.raises(UsageError):
            reports.check_name(name, *verdict_report.ENDINGS)
    reports.check_name(str(tmp_path / "r.md"), *verdict_report.ENDINGS)


def test_compared(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    before, after = tmp_path / "b.json", tmp_path / "a.json"
    verdict_report.write(str(before), report_of(a="escaped", b="held", c="held", gone="held"))
    verdict_report.write(str(after), report_of(a="held", b="held", c="escaped", new="held"))
    differences = changes(load(str(before)), load(str(after)))
    assert [(c.id, c.before, c.after) for c in differences] == [
        ("c", "held", "escaped"),
        ("a", "escaped", "held"),
        ("gone", "held", ""),
        ("new", "", "held"),
    ]
    assert verdict_report.compare(str(before), str(after), as_json=False) == 6
    assert "c     held            ->  escaped" in capsys.readouterr().out
    assert verdict_report.compare(str(after), str(after), as_json=True) == 0
    assert json.loads(capsys.readouterr().out)["changes"] == []
    assert verdict_report.compare(str(before), str(before), as_json=False) == 0


@pytest.mark.parametrize(
    "text", ["", "{", "[]", "{}", '{"version": 2}', '{"version": 1, "attempts": [{}]}', "[" * 9999]
)
def test_what_is_no_report_is_refused(tmp_path: Path, text: str) -> None:
    file = tmp_path / "x.json"
    file.write_text(text)
    with pytest.raises(SandboxdError, match="not a report"):
        load(str(file))
    with pytest.raises(SandboxdError, match=r"`.*none\.json` does not exist"):
        load(str(tmp_path / "none.json"))


def test_a_way_out_that_is_open_on_purpose_is_as_it_was_asked() -> None:
    controls = [
        {"name": "network", "state": "open", "why": "`bridge`"},
        {"name": "seccomp", "state": "not in force", "why": "Seccomp is 0"},
        {"name": "AppArmor", "state": "left out", "why": "no kernel has it"},
    ]
    page = verdict_html.render(report_of(a="held") | {"controls": controls})
    assert "Not as asked (1)" in page and "Ways out that are open on purpose (1)" in page
    assert "Seen inside (1)" in page
    assert page.index("Seccomp is 0") < page.index("Ways out") < page.index("`bridge`")
