"""What holds for every rule, whoever adds it."""

from __future__ import annotations

import functools
import json
import os
import subprocess
import sys
from importlib import import_module
from pathlib import Path
from typing import Any
from urllib.parse import unquote

import pytest

from sandboxd import formats, rules
from sandboxd.findings import Finding, Severity
from sandboxd.lint import analysis
from sandboxd.rules._index import FAMILIES, RULES
from sandboxd.rules._needs import Contains, Field, Kind, Mentions, Property, Spells, Unsound
from sandboxd.text import SourceText, apply_edits
from tests.each_case import check_each
from tests.forked import run_forked
from tests.patience import PATIENCE
from tests.rules import needs, pages
from tools import generate_index

HEADINGS = ("What it is", "Why it is bad", "What to do instead", "Under gVisor", "References")


@functools.cache
def all_cases() -> list[pages.Case]:
    """The cases of all pages."""
    return [case for page in pages.pages() for case in pages.cases(page)]


def weak_cases() -> list[pages.Case]:
    """Those that have a finding."""
    return [case for case in all_cases() if case.kind == "weak"]


def test_the_indexes_are_fresh_and_name_no_rule_that_is_gone() -> None:
    assert generate_index.stale() == [], "run `./dev docs`"


def test_what_each_rule_needs_exists() -> None:
    check_each(rules.ids(), _check_needs, str)


def _check_needs(rule: str) -> None:
    subject, needed, _ = RULES[rule]
    types = [getattr(import_module(rules.SUBJECTS[name]), name) for name in subject.split(" | ")]
    fields = {field for subject_type in types for field in subject_type._fields}
    about_documents = Contains | Kind | Property | Spells | Unsound
    for need in needed:
        assert (subject == "Document") == isinstance(need, about_documents)
        assert getattr(need, "field", None) in {None, *fields}
        assert getattr(need, "kind", None) in {None, *formats.load()}


def test_an_index_that_does_not_fit_a_rule_says_how_to_make_it(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    subject, _, severity = RULES["cap-add-all"]
    monkeypatch.setitem(RULES, "cap-add-all", (subject, (Mentions("cap_add", "ALL"),), severity))
    monkeypatch.setattr(rules, "_loaded", {})
    with pytest.raises(
        rules.StaleIndexError, match=r"does not fit `cap-add-all`: run `\./dev docs`"
    ):
        rules.get("cap-add-all")
    with pytest.raises(KeyError, match=r"no rule `brand-new` in the index.*run `\./dev docs`"):
        rules.get("brand-new")


def test_a_check_imports_only_rules_that_can_speak() -> None:
    code = (
        "import sys; from sandboxd.lint import analysis; from sandboxd.text import SourceText;"
        "analysis.check_source(SourceText('devcontainer.json', sys.argv[1]));"
        "print(*(m for m in sys.modules if m.startswith('sandboxd.rules.')))"
    )
    text = '{"runArgs": ["--cap-add=ALL"]}'
    done = subprocess.run([sys.executable, "-c", code, text], capture_output=True, text=True)
    loaded = done.stdout.split()
    assert "sandboxd.rules.cap_add_all" in loaded
    assert "sandboxd.rules.host_root_mounted" not in loaded
    assert "sandboxd.rules.config_unknown_key" not in loaded


def test_no_need_hides_a_finding_of_a_case() -> None:
    hides = {
        case.name: needs.hidden(case.source, case.host, case.variables) for case in all_cases()
    }
    assert {name: texts for name, texts in hides.items() if texts} == {}


def test_a_need_that_hides_a_finding_is_noticed(monkeypatch: pytest.MonkeyPatch) -> None:
    source = SourceText("devcontainer.json", '{"image": "debian:13", "runArgs": ["--ipc=host"]}')
    assert needs.hidden(source) == []
    subject, _, severity = RULES["host-ipc"]
    monkeypatch.setitem(RULES, "host-ipc", (subject, (Field("pid"),), severity))
    monkeypatch.setattr(rules, "_by_subject", {})
    assert [text.partition(":")[0] for text in needs.hidden(source)] == ["host-ipc"]


def test_each_rule_is_named_after_its_file_and_explains_itself() -> None:
    check_each(rules.ids(), _check_words, str)


def _check_words(rule: str) -> None:
    loaded = rules.load()[rule]
    assert loaded.META.id == rule
    assert set(rules.subject(loaded).split(" | ")) <= set(rules.SUBJECTS)
    assert loaded.META.why
    for text in (loaded.META.summary, loaded.META.why):
        assert text[0].islower() or text[0] == "`", "messages start lower-case"
        assert not text.endswith(".")
    headings = [line[3:] for line in rules.page(rule).splitlines() if line.startswith("## ")]
    assert tuple(headings) == HEADINGS


def test_each_row_of_a_family_has_a_page_beside_it_and_no_module() -> None:
    folder = Path(rules.__file__).parent
    assert {page.stem for page in (folder / "pages").iterdir()} == set(FAMILIES)
    assert not {rule for rule in FAMILIES if (folder / f"{rule.replace('-', '_')}.py").exists()}
    rows = [
        row.META.id
        for family in generate_index.modules("rules/families")
        for row in import_module(f"sandboxd.rules.families.{family}").ROWS
    ]
    assert sorted(rows) == sorted(FAMILIES)


def test_the_index_names_a_row_that_is_gone(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(FAMILIES, "daemon-runsc-debug", "capabilities")
    monkeypatch.setattr(rules, "_loaded", {})
    with pytest.raises(rules.StaleIndexError, match=r"does not fit `daemon-runsc-debug`"):
        rules.get("daemon-runsc-debug")


def test_each_rule_has_weak_fine_and_unusual_cases_and_each_page_a_rule() -> None:
    kinds: dict[str, set[str]] = {}
    for case in all_cases():
        kinds.setdefault(case.rule, set()).add(case.kind)
    assert kinds == {rule: {"weak", "fine", "unusual"} for rule in rules.ids()}


def test_each_fix_removes_its_finding_and_adds_none_as_bad() -> None:
    check_each(weak_cases(), _check_fixes, lambda case: case.name)


def _check_fixes(case: pages.Case) -> None:
    before = _all(case, case.source)
    for finding in before:
        for fix in finding.fixes:
            text = apply_edits(case.source.text, fix.edits)
            after = _all(case, SourceText(case.source.path, text))
            assert _count(after, finding) < _count(before, finding)
            for new in after:
                worse = new.severity >= finding.severity
                assert not (worse and _count(after, new) > _count(before, new)), new.message
            assert fix.safe or fix.caution, "a fix that is not safe says what may break"


def test_a_fix_is_named_exactly_where_its_edits_can_be_made() -> None:
    for case in weak_cases():
        shown = [
            [
                (finding.rule, finding.place, [fix.title for fix in finding.fixes])
                for finding in analysis.check_source(
                    case.source,
                    host=case.host,
                    variables=case.variables,
                    fixes=fixes,
                ).findings
            ]
            for fixes in (analysis.Fixes.EDITS, analysis.Fixes.NAMES)
        ]
        assert shown[0] == shown[1], case.name


def test_messages_are_in_the_house_style() -> None:
    check_each(weak_cases(), _check_messages, lambda case: case.name)


def _check_messages(case: pages.Case) -> None:
    for finding in _all(case, case.source):
        highest = rules.get(finding.rule).META.severity
        assert finding.severity <= highest, "rules are left out by their highest severity"
        assert finding.message[0].islower() or finding.message[0] == "`"
        assert not finding.message.endswith(".")
        path, span = finding.place
        source = case.source
        if path != source.path:
            source = case.variables.read(path, source.path)
        assert 0 <= span.start <= span.end <= len(source.text)


def test_all_forms_report_the_same_findings(tmp_path: Path) -> None:
    cases = [case for case in weak_cases() if not case.source.path.endswith(".toml")]
    for index, case in enumerate(cases):
        file = tmp_path / f"p{index:03}" / Path(case.source.path).relative_to("/project")
        file.parent.mkdir(parents=True)
        file.write_text(case.source.text)
    as_text = _check(tmp_path, "--pedantic")
    as_json = json.loads(_check(tmp_path, "--pedantic", "--format", "json"))
    places = [
        f"{f['path']}:{f['line']}:{f['column']}"
        for f in as_json["findings"]
        if f["suppressed"] is None
    ]
    shown = [line.split("--> ")[1] for line in as_text.splitlines() if "--> " in line]
    assert shown == places
    assert len(places) > len(cases)
    heads = [line.split("]")[0] for line in as_text.splitlines() if "]: " in line]
    assert heads == [
        f"{f['severity']}[{f['rule']}" for f in as_json["findings"] if f["suppressed"] is None
    ]
    as_sarif = json.loads(_check(tmp_path, "--pedantic", "--format", "sarif"))["runs"][0]
    assert [_in_sarif(result) for result in as_sarif["results"]] == [
        (f["rule"], f["path"], f["line"], f["column"]) for f in as_json["findings"]
    ]
    prints = [r["partialFingerprints"]["sandboxd/v1"] for r in as_sarif["results"]]
    assert len(set(prints)) == len(prints)
    as_annotations = _check(tmp_path, "--pedantic", "--format", "github").splitlines()
    assert [
        f"{f['path']},line={f['line']}," in line
        for f, line in zip(
            [f for f in as_json["findings"] if f["suppressed"] is None],
            as_annotations,
            strict=False,
        )
    ] == [True] * len(places)


def _in_sarif(result: dict[str, Any]) -> tuple[str, str, int, int]:
    place = result["locations"][0]["physicalLocation"]
    region = place["region"]
    path = unquote(place["artifactLocation"]["uri"])
    return result["ruleId"], path, region["startLine"], region["startColumn"]


def _check(folder: Path, *arguments: str) -> str:
    done = run_forked(["check", *arguments], cwd=folder, env=os.environ, timeout=2 * PATIENCE)
    assert done.returncode == 1, done.stderr
    return done.stdout


def _all(case: pages.Case, source: SourceText) -> list[Finding]:
    report = analysis.check_source(source, host=case.host, variables=case.variables)
    return [finding for finding in report.findings if finding.severity >= Severity.HINT]


def _count(findings: list[Finding], wanted: Finding) -> int:
    return sum(f.rule == wanted.rule and f.evidence == wanted.evidence for f in findings)
