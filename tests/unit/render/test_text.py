"""What a person sees."""

from __future__ import annotations

from typing import Any

import pytest

from sandboxd.findings import Finding, Fix, Place, Report, Severity, Skipped
from sandboxd.lint import analysis
from sandboxd.render import Options, RuleText
from sandboxd.render import text as text_form
from sandboxd.render.text import excerpt
from sandboxd.text import SourceText, Span

PATH = "/code/.devcontainer/devcontainer.json"


def marked(line: str, start: int, end: int, width: int = 80) -> tuple[str, str]:
    return excerpt(SourceText("x", line), Span(start, end), width)


@pytest.mark.parametrize(
    ("line", "word", "shown", "carets"),
    [
        ("abc def", "def", "abc def", "    ^^^"),
        ("\tdef", "def", "    def", "    ^^^"),
        ("a\tdef\t", "def", "a   def", "    ^^^"),
        ("日本 def", "def", "日本 def", "     ^^^"),
        ("x 日本 def", "日本", "x 日本 def", "  ^^^^"),
        ("e\u0301 def", "def", "e\u0301 def", "  ^^^"),
        ("🐋 def", "def", "🐋 def", "   ^^^"),
        ("\u202edef", "def", "<U+202E>def", "        ^^^"),
        ("\x1b[2Jdef", "def", "<U+001B>[2Jdef", "           ^^^"),
    ],
)
def test_carets_stand_under_the_text(line: str, word: str, shown: str, carets: str) -> None:
    start = line.index(word)
    assert marked(line, start, start + len(word)) == (shown, carets)


def test_an_empty_span_has_one_caret() -> None:
    assert marked("", 0, 0) == ("", "^")
    assert marked("ab", 2, 2) == ("ab", "  ^")


def test_a_span_over_lines_is_marked_on_its_first() -> None:
    assert marked("a {\n  b\n}", 2, 9) == ("a {", "  ^")


@pytest.mark.parametrize("at", [0, 5, 300, 5_000, 9_990])
def test_a_long_line_is_cut_around_the_mark(at: int) -> None:
    line = "".join(chr(97 + i % 26) for i in range(10_000))
    shown, carets = marked(line, at, at + 10)
    assert len(shown) <= 80
    assert shown[carets.index("^") : len(carets)] == line[at : at + 10]
    assert shown.startswith("...") == (at > 70)
    assert shown.endswith("...") == (at < 9_900)


def test_a_mark_longer_than_the_line_is_cut() -> None:
    shown, carets = marked("x" * 500, 100, 400)
    assert len(carets) <= 80
    assert shown.startswith("...") and shown.endswith("...")


def _describe(rule: str) -> RuleText:
    raise AssertionError(f"nothing is said of {rule} but its name")


def render(
    report: Report, *, colour: bool, width: int, cwd: str = "", again: str = "", **more: Any
) -> str:
    options = Options(cwd, "1", _describe, colour, width, again, **more)
    return text_form.document(report, options).removesuffix("\n")


def report_on(
    text: str, threshold: Severity = Severity.WARNING, only: tuple[str, ...] | None = None
) -> Report:
    report = analysis.check_source(SourceText(PATH, text), only=only)
    shown = tuple(finding for finding in report.findings if finding.severity >= threshold)
    return report._replace(findings=shown)


def test_a_whole_screen() -> None:
    text = '{\n\t"image": "x",\n\t"runArgs": ["--pid=host"], "capAdd": ["SYS_PTRACE"]\n}\n'
    assert (
        render(report_on(text, only=("host-pid",)), colour=False, width=72, cwd="/code")
        == """\
error[host-pid]: the container can take over every process of the host
 --> .devcontainer/devcontainer.json:3:21
  |
3 |     "runArgs": ["--pid=host"], "capAdd": ["SYS_PTRACE"]
  |                        ^^^^
  = why: command lines, environments and, with SYS_PTRACE, the memory of
         host processes are open
  = see: .devcontainer/devcontainer.json:3:41: which allows to trace
         them
  = fix: use a process namespace of the container's own; then processes
         of the host can no longer be inspected from inside

1 error in 1 file
hint: `sandboxd check --fix --unsafe --diff` shows 1 fix as a diff
hint: `sandboxd explain host-pid` tells more about it"""
    )


def test_nothing_found() -> None:
    assert render(report_on("{}"), colour=False, width=80) == "no findings in 1 file"


def test_allowed_findings_are_counted_and_not_shown() -> None:
    text = '{ "privileged": true } // sandboxd: allow privileged-container -- dind'
    shown = render(report_on(text), colour=False, width=80)
    assert shown == "no findings in 1 file (1 allowed with a reason: `--no-allow` shows it)"


def test_what_was_not_checked_is_always_shown() -> None:
    report = Report((), (Skipped("/code/a", "is locked", "unlock it"),), 1, {})
    shown = render(report, colour=False, width=80, cwd="/code")
    assert "not checked: a: is locked\n  hint: unlock it" in shown


def test_files_are_headed_when_there_are_several() -> None:
    places = [Place(f"/code/{name}", Span(0, 1)) for name in ("a", "b")]
    sources = {place.path: SourceText(place.path, "x") for place in places}
    findings = tuple(Finding("r", Severity.ERROR, "m", place, "e") for place in places)
    shown = render(Report(findings, (), 2, sources), colour=False, width=80, cwd="/code")
    assert shown.startswith("a:\n\nerror[r]: m\n --> a:1:1\n")
    assert "\n\nb:\n\nerror[r]: m\n --> b:1:1\n" in shown
    assert "2 errors in 2 files" in shown


def test_a_file_whose_text_is_not_there() -> None:
    finding = Finding("r", Severity.HINT, "m", Place("live", Span(0, 0)), "e")
    assert render(Report((finding,), (), 1, {}), colour=False, width=80).startswith("hint[r]: m")


def test_safe_fixes_need_no_flag() -> None:
    fix = Fix("do it", True, PATH, ())
    finding = Finding("r", Severity.ERROR, "m", Place(PATH, Span(0, 1)), "e", fixes=(fix,))
    shown = render(Report((finding,), (), 1, {PATH: SourceText(PATH, "x")}), colour=False, width=80)
    assert "  = fix: do it\n" in shown
    assert "`sandboxd check --fix --diff` shows 1 fix as a diff" in shown


def test_hostile_text_cannot_drive_the_terminal() -> None:
    name = "/code/\x1b[2J\n.json"
    finding = Finding("r", Severity.ERROR, "a\x1b]0;b\nc", Place(name, Span(0, 1)), "e")
    shown = render(
        Report((finding,), (), 1, {name: SourceText(name, "\x9b1m")}),
        colour=False,
        width=80,
        cwd="/code",
    )
    assert "\x1b" not in shown and "\x9b" not in shown
    assert "a<U+001B>]0;b<U+000A>c" in shown


def test_a_quoted_value_may_be_as_long_as_the_file() -> None:
    finding = Finding("r", Severity.ERROR, "x" * 100_000, Place(PATH, Span(0, 1)), "e")
    report = Report((finding,), (), 1, {PATH: SourceText(PATH, "x")})
    assert len(render(report, colour=False, width=80)) < 1_000


def test_colour_changes_nothing_but_colour() -> None:
    import re

    report = report_on('{ "privileged": true, "initializeCommand": "ls" }')
    plain = render(report, colour=False, width=80, cwd="/code")
    coloured = render(report, colour=True, width=80, cwd="/code")
    assert coloured != plain
    assert re.sub(r"\x1b\[[0-9;]*m", "", coloured) == plain


def test_nothing_is_said_of_what_was_not_looked_for() -> None:
    report = report_on("{}")
    assert render(report, colour=False, width=80, least=Severity.WARNING, again=" a") == (
        "no error or warning in 1 file; hints: `sandboxd check --pedantic a`"
    )
    assert render(report, colour=False, width=80, least=Severity.ERROR).startswith("no error in 1")


def test_several_parts_that_were_not_checked_are_one_line_until_they_are_asked_for() -> None:
    parts = tuple(Skipped(f"/code/{name}", "is a link", "name it") for name in ("a", "b", "b"))
    report = report_on("{}")._replace(skipped=parts)
    shown = render(report, colour=False, width=80, cwd="/code", again=" x")
    folded = "not checked: 3 parts of 2 files: `sandboxd check --list-unchecked x`"
    assert shown.splitlines()[0] == folded
    listed = render(report, colour=False, width=80, cwd="/code", lists_unchecked=True)
    assert listed.count("not checked: ") == 3 and "hint: name it" in listed
    one = report._replace(skipped=parts[:1])
    assert "not checked: a: is a link" in render(one, colour=False, width=80, cwd="/code")


def test_many_files_are_summed_up_the_worst_first() -> None:
    names = [f"f{number}" for number in range(30)]
    levels = [Severity.ERROR if name == "f7" else Severity.WARNING for name in names]
    places = [Place(f"/code/{name}", Span(0, 1)) for name in names]
    sources = {place.path: SourceText(place.path, "x") for place in places}
    findings = tuple(
        Finding("r", level, "m", place, "e") for level, place in zip(levels, places, strict=True)
    )
    report = Report(findings, (), 30, sources)
    *_, table, _ = render(report, colour=False, width=80, cwd="/code").split("\n\n")
    lines = table.splitlines()
    assert lines[0].split() == ["1", "error", "f7"]
    assert lines[1].split() == ["1", "warning", "f0"]
    assert lines[-1] == "and 10 more files"


@pytest.mark.parametrize("at", [0, 60, 150, 190])
def test_dots_stand_where_a_line_goes_on(at: int) -> None:
    """A line that is a little too long is cut only once, in the window itself."""
    line = "".join(chr(97 + i % 26) for i in range(200))
    shown, carets = marked(line, at, at + 10)
    assert shown[carets.index("^") : len(carets)] == line[at : at + 10]
    assert shown.startswith("...") == (at > 40)
    assert shown.endswith("...") == (at < 180)
