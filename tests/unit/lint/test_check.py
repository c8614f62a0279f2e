"""The engine around the rules: failures, suppressions, settings, fixes."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import pytest

from sandboxd import formats, rules
from sandboxd.findings import Finding, Severity, Skipped
from sandboxd.lint import analysis
from sandboxd.lint.settings import Allowance, RuleSettings
from sandboxd.syntax import yaml
from sandboxd.text import Edit, SourceText, Span

PATH = "/p/.devcontainer/devcontainer.json"
WEAK = '{\n  "image": "x",\n  "privileged": true\n}\n'


def check(text: str, settings: RuleSettings | None = None) -> list[Finding]:
    report = analysis.check_source(SourceText(PATH, text), settings=settings or RuleSettings())
    return [f for f in report.findings if f.severity > Severity.HINT]


def rule_names(findings: list[Finding]) -> list[str]:
    return [finding.rule for finding in findings if not finding.suppressed]


def test_findings_come_in_the_order_of_the_file() -> None:
    report = analysis.check_source(
        SourceText(PATH, '{ "privileged": true, "image": "x", "initializeCommand": "ls" }')
    )
    starts = [finding.place.span.start for finding in report.findings]
    assert starts == sorted(starts)
    assert report.files == 1


def test_a_file_of_no_kind_is_skipped() -> None:
    report = analysis.check_source(SourceText("/p/package.json", "{}"))
    assert report.findings == ()
    assert report.files == 0
    assert "is no kind of file" in report.skipped[0].reason


def replace_rule(monkeypatch: pytest.MonkeyPatch, rule: str, outcome: object) -> None:
    """Let `rule` yield `outcome`, or raise it."""
    real = rules.get

    def check(subject: object, host: object) -> list[object]:
        if isinstance(outcome, Exception):
            raise outcome
        return [outcome]

    fake = SimpleNamespace(META=real(rule).META, check=check)
    monkeypatch.setattr(rules, "get", lambda name: fake if name == rule else real(name))


def test_a_rule_that_fails_is_named_once_and_the_others_go_on(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    replace_rule(monkeypatch, "host-pid", KeyError("x"))
    text = '{ "privileged": true, "runArgs": ["--pid=host"] }'
    documents = [
        analysis.formats.get("devcontainer").parse(SourceText(f"/p{n}/.devcontainer.json", text))
        for n in range(2)
    ]
    report = analysis.check(documents)
    assert [s.reason for s in report.skipped] == ["the rule `host-pid` failed: KeyError: 'x'"]
    assert sum(f.rule == "privileged-container" for f in report.findings) == 2


def test_a_rule_may_say_that_it_could_not_look(monkeypatch: pytest.MonkeyPatch) -> None:
    skipped = Skipped(PATH, "the host is not known")
    replace_rule(monkeypatch, "host-pid", skipped)
    report = analysis.check_source(SourceText(PATH, '{ "runArgs": ["--pid=host"] }'))
    assert report.skipped == (skipped,)


@pytest.mark.parametrize("damage", [' "runArgs": ["--network=host"],', " ]]"])
def test_a_fix_that_makes_it_worse_is_dropped(monkeypatch: pytest.MonkeyPatch, damage: str) -> None:
    kind = analysis.formats.get("devcontainer")
    real = kind.edits

    def damaging(*arguments: Any) -> tuple[Edit, ...]:
        return (*(real(*arguments) or ()), Edit(Span(1, 1), damage))

    (finding,) = check(WEAK)
    assert len(finding.fixes) == 1
    monkeypatch.setattr(kind, "edits", damaging)
    (finding,) = check(WEAK)
    assert finding.fixes == ()
    unverified = analysis.check_source(SourceText(PATH, WEAK), fixes=analysis.Fixes.EDITS)
    assert any(f.fixes for f in unverified.findings)


# Suppressions


@pytest.mark.parametrize(
    "text",
    [
        '{ "privileged": true } // sandboxd: allow privileged-container -- dind',
        '{\n  // sandboxd: allow privileged-container -- dind\n  "privileged": true\n}',
        '{\n  /* sandboxd: allow privileged-container -- dind */\n  "privileged": true\n}',
        '{\n  "privileged": true /* sandboxd: allow privileged-container -- dind */\n}',
        "{\n  // sandboxd: allow privileged-container -- dind\n  /* more words\n   * and more */\n"
        '  "privileged": true\n}',
        "{\n  // sandboxd: allow host-pid, privileged-container -- dind\n  // more words\n"
        '  "runArgs": ["--pid=host"], "privileged": true\n}',
    ],
)
def test_a_comment_allows(text: str) -> None:
    findings = check(text)
    assert rule_names(findings) == []
    assert {f.suppressed.reason for f in findings if f.suppressed} == {"dind"}
    assert all(f.fixes or f.suppressed for f in findings)


def test_a_comment_speaks_over_the_comments_below_it_in_yaml_too() -> None:
    text = (
        "services:\n  a:\n    image: x\n    # sandboxd: allow privileged-container -- dind\n"
        "    # more words\n    privileged: true\n"
    )
    report = analysis.check_source(SourceText("/p/compose.yml", text))
    [finding] = [f for f in report.findings if f.rule == "privileged-container"]
    assert finding.suppressed is not None and finding.suppressed.reason == "dind"


@pytest.mark.parametrize(
    ("text", "left"),
    [
        (
            '{\n  // sandboxd: allow privileged-container\n  "privileged": true\n}',
            ["suppression-without-reason", "privileged-container"],
        ),
        (
            '{\n  // sandboxd: allow privileged-container -- say why\n  "privileged": true\n}',
            ["suppression-without-reason", "privileged-container"],
        ),
        (
            '{\n  // sandboxd: allow privileged-container -- dind\n\n  "privileged": true\n}',
            ["unused-suppression", "privileged-container"],
        ),
        (
            '{\n  "name": "x", // sandboxd: allow privileged-container -- dind\n'
            '  "privileged": true\n}',
            ["unused-suppression", "privileged-container"],
        ),
        (
            '{\n  // sandboxd: allow privileged -- dind\n  "privileged": true\n}',
            ["unused-suppression", "privileged-container"],
        ),
        (
            '{\n  "name": "// sandboxd: allow privileged-container -- dind", "privileged": true\n}',
            ["privileged-container"],
        ),
    ],
)
def test_a_comment_of_another_form_or_place_allows_nothing(text: str, left: list[str]) -> None:
    assert rule_names(check(text)) == left


def test_a_suppression_of_a_rule_that_is_off_is_not_called_unused() -> None:
    text = '{ "image": "x" } // sandboxd: allow privileged-container -- dind'
    assert rule_names(check(text)) == ["unused-suppression"]
    off = RuleSettings(levels={"privileged-container": None})
    assert rule_names(check(text, off)) == []


def test_a_suppression_of_an_unknown_rule_is_named_whichever_rules_are_asked_for() -> None:
    text = '{ "image": "x" } // sandboxd: allow privileged -- dind'
    report = analysis.check_source(SourceText(PATH, text), only=("unused-suppression",))
    assert rule_names(list(report.findings)) == ["unused-suppression"]


def test_a_hint_that_a_comment_allows_is_looked_for_where_only_errors_are_asked_for() -> None:
    """Else its comment would be called unused."""
    allowed = '{ "image": "x" } // sandboxd: allow {} -- it is known'
    hints = analysis.check_source(SourceText(PATH, '{ "image": "x" }')).findings
    rule = next(finding.rule for finding in hints if finding.severity is Severity.HINT)
    report = analysis.check_source(
        SourceText(PATH, allowed.replace("{}", rule)), threshold=Severity.ERROR
    )
    assert [finding.rule for finding in report.findings if finding.suppressed] == [rule]
    assert "unused-suppression" not in rule_names(list(report.findings))


# Settings


def test_levels() -> None:
    assert rule_names(check(WEAK, RuleSettings(levels={"privileged-container": None}))) == []
    (finding,) = check(WEAK, RuleSettings(levels={"privileged-container": Severity.WARNING}))
    assert finding.severity is Severity.WARNING


@pytest.mark.parametrize(
    ("expires", "today", "allowed"),
    [
        (None, "", True),
        ("2026-01-31", "2026-01-31", True),
        ("2026-01-31", "2026-02-01", False),
        ("2026-01-31", "", False),
    ],
)
def test_allowances_end(expires: str | None, today: str, allowed: bool) -> None:
    allowance = Allowance("privileged-container", "later", "sandboxd.toml", expires)
    (finding,) = check(WEAK, RuleSettings(allowances=(allowance,), today=today))
    assert (finding.suppressed is not None) == allowed


def test_a_kind_that_fails_is_said_and_stops_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(_source: SourceText) -> object:
        raise IndexError("a parser went wrong")

    monkeypatch.setattr(formats.get("devcontainer"), "parse", broken)
    report = analysis.check_source(SourceText("/p/devcontainer.json", "{}"))
    assert report.files == 0
    assert [(s.path, s.hint) for s in report.skipped] == [
        ("/p/devcontainer.json", "please report this as a bug")
    ]
    assert "IndexError: a parser went wrong" in report.skipped[0].reason


def test_a_fix_of_a_value_that_the_text_does_not_hold_is_named_among_what_was_skipped() -> None:
    allowed = '"action": "SCMP_ACT_ALLOW"'
    text = (
        '{ "defaultAction": "SCMP_ACT_ERRNO",\n'
        f'"syscalls": [{{ "names": ["read"], {allowed} }}],\n'
        f'"Syscalls": [{{ "names": ["write" /* two spellings are laid together */\n], {allowed} }}] }}'
    )
    for fixes in (analysis.Fixes.EDITS, analysis.Fixes.NAMES):
        report = analysis.check_source(SourceText("/p/seccomp.json", text), fixes=fixes)
        of_rule = [f for f in report.findings if f.rule == "seccomp-breaks-dev-tools"]
        assert of_rule
        assert all(finding.fixes == () for finding in of_rule)
        (skipped,) = [s for s in report.skipped if "has no fix" in s.reason]
        assert skipped.reason == (
            "has no fix for `seccomp-breaks-dev-tools`: the array is not written in this text"
            " as one value"
        )


def test_a_rule_yields_to_one_that_says_more_at_the_same_place() -> None:
    token = "ghp_" + "a1B2c3D4e5F6g7H8i9J0k1L2m3N4o5P6q7R8"
    text = f'{{ "image": "x", "containerEnv": {{ "A": "{token}" }}, "name": "{token}" }}'
    report = analysis.check_source(SourceText("devcontainer.json", text))
    tokens = [(f.rule, f.place.span.start) for f in report.findings if "token" in f.message]
    assert tokens == [
        ("secret-literal", text.index(token)),
        ("token-written-out", text.rindex(token)),
    ]
    alone = analysis.check_source(SourceText("devcontainer.json", text), only=["token-written-out"])
    assert len(alone.findings) == 2


@pytest.mark.parametrize("fixes", list(analysis.Fixes))
def test_a_text_with_a_syntax_error_offers_nothing_to_be_changed(fixes: analysis.Fixes) -> None:
    """Neither as fixes, nor as remedies, by which an editor decides whether to offer its actions."""
    offered = [
        any(finding.remedies or finding.fixes for finding in report.findings)
        for text in (WEAK, WEAK.replace('"x",', '"x"'))
        for report in [analysis.check_source(SourceText(PATH, text), fixes=fixes)]
    ]
    assert offered == [True, False]


MANIFEST = "apiVersion: v1\nkind: Pod\nmetadata: {name: a}\nspec:\n  hostPID: true\n  containers: [{name: a, image: a}]\n"


def test_a_valid_file_that_is_not_read_to_its_end_is_skipped_there_and_has_no_error() -> None:
    """What comes before is judged, and nothing is changed, as what follows may set it anew."""
    text = MANIFEST + "  more:\n" + "    - a\n" * yaml.MAX_NODES
    report = analysis.check_source(SourceText("/p/deploy/a.yaml", text))
    (skipped,) = report.skipped
    assert skipped.is_file
    assert skipped.reason.startswith("is not read as a whole, from line ")
    assert skipped.reason.endswith(" on: more than 100,000 values")
    assert "yaml-syntax-error" not in [finding.rule for finding in report.findings]
    assert "host-pid" in [finding.rule for finding in report.findings]
    assert not any(finding.fixes for finding in report.findings)


@pytest.mark.parametrize(
    ("name", "text", "reason"),
    [
        (".devcontainer.json", '{"a": ' + "[" * 300 + "]" * 300 + "}", "line 1 on: more than 200 levels"),
        ("Dockerfile", "FROM a\n" + "USER b\n" * 20_000, "line 20001 on: more than 20,000 instructions"),
        ("mise.toml", "a = " + "[" * 300 + "]" * 300, "line 1 on: more than 200 levels"),
        ("compose.yaml", "a: " + "[" * 400 + "]" * 400, "line 1 on: more than 300 levels"),
    ],
)  # fmt: skip
def test_each_language_says_from_where_on_it_is_not_read(name: str, text: str, reason: str) -> None:
    report = analysis.check_source(SourceText(f"/p/{name}", text))
    assert [s.reason for s in report.skipped if s.is_file] == [
        f"is not read as a whole, from {reason}"
    ]
    assert [f.rule for f in report.findings if "syntax" in f.rule] == []
