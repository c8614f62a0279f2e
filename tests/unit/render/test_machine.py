"""SARIF and GitHub annotations: what a viewer gets, and that it knows a finding again."""

from __future__ import annotations

import json
import re
from typing import Any

from sandboxd import rules
from sandboxd.findings import Report, Skipped, Suppressed
from sandboxd.lint import analysis
from sandboxd.render import Options, RuleText, github, sarif
from sandboxd.text import SourceText

PATH = "/project/with space/.devcontainer/devcontainer.json"
TEXT = (
    '{\n  "image": "😀",  "runArgs": ["--privileged", "--cap-add=ALL"],\n  "privileged": true\n}\n'
)


def options() -> Options:
    def describe(rule: str) -> RuleText:
        return RuleText(rules.get(rule).META, rules.page(rule))

    return Options("/project", "1.2.3", describe)


def report(text: str = TEXT) -> Report:
    result = analysis.check_source(SourceText(PATH, text))
    return result._replace(skipped=(Skipped(PATH, "a part of it"),))


def log(of_report: Report) -> dict[str, Any]:
    [run] = json.loads(sarif.document(of_report, options()))["runs"]
    assert isinstance(run, dict)
    return run


def test_a_log_has_what_viewers_ask_for() -> None:
    checked = report()
    text = json.loads(sarif.document(checked, options()))
    assert text["version"] == "2.1.0" and text["$schema"].endswith("sarif-schema-2.1.0.json")
    [run] = text["runs"]
    driver = run["tool"]["driver"]
    assert (driver["name"], driver["semanticVersion"]) == ("sandboxd", "1.2.3")
    ids = [rule["id"] for rule in driver["rules"]]
    assert len(set(ids)) == len(ids)
    for rule in driver["rules"]:
        assert rule["shortDescription"]["text"] and "## Why it is bad" in rule["help"]["markdown"]
        assert rule["defaultConfiguration"]["level"] in ("error", "warning", "note")
    assert len(run["results"]) == len(checked.findings) > 2
    for result, finding in zip(run["results"], checked.findings, strict=True):
        assert driver["rules"][result["ruleIndex"]]["id"] == result["ruleId"] == finding.rule
        [location] = result["locations"]
        place = location["physicalLocation"]
        assert place["artifactLocation"] == {
            "uri": "with%20space/.devcontainer/devcontainer.json",
            "uriBaseId": "SRCROOT",
        }
        assert list(result["partialFingerprints"]) == ["sandboxd/v1"]
    assert run["originalUriBaseIds"]["SRCROOT"]["uri"] == "file:///project/"
    assert run["columnKind"] == "unicodeCodePoints"


def test_regions_count_from_one_in_code_points() -> None:
    [added] = [r for r in log(report())["results"] if r["ruleId"] == "cap-add-all"]
    region = added["locations"][0]["physicalLocation"]["region"]
    line = TEXT.splitlines()[1]
    start = line.index("ALL") + 1
    assert region == {"startLine": 2, "startColumn": start, "endLine": 2, "endColumn": start + 3}


def test_fixes_are_the_edits() -> None:
    run = log(report())
    fixes = [fix for result in run["results"] for fix in result.get("fixes", ())]
    assert fixes
    for fix in fixes:
        [change] = fix["artifactChanges"]
        assert fix["description"]["text"] and change["artifactLocation"]["uri"]
        for replacement in change["replacements"]:
            assert set(replacement) == {"deletedRegion", "insertedContent"}


def test_fingerprints_survive_moved_lines_and_tell_twins_apart() -> None:
    def prints(text: str) -> list[str]:
        results = log(report(text))["results"]
        return [result["partialFingerprints"]["sandboxd/v1"] for result in results]

    before = prints(TEXT)
    assert sorted(prints("// moved\n\n" + TEXT)) == sorted(before)
    assert len(set(before)) == len(before)
    assert prints(TEXT.replace("ALL", "SYS_ADMIN")) != before


def test_what_was_not_checked_and_what_is_accepted_is_in_it() -> None:
    checked = report()
    accepted = checked.findings[0]._replace(suppressed=Suppressed("because", "comment"))
    run = log(checked._replace(findings=(accepted, *checked.findings[1:])))
    [notification] = run["invocations"][0]["toolExecutionNotifications"]
    assert notification["message"]["text"] == "not checked: a part of it"
    assert run["results"][0]["suppressions"] == [{"kind": "inSource", "justification": "because"}]


def test_annotations_stand_at_their_lines() -> None:
    lines = github.document(report(), options()).splitlines()
    [added] = [line for line in lines if "title=cap-add-all" in line]
    start = TEXT.splitlines()[1].index("ALL") + 1
    head = f"::error file=with space/.devcontainer/devcontainer.json,line=2,endLine=2,col={start},"
    assert added.startswith(head)
    assert lines[-1].startswith("::warning file=") and "not checked: a part of it" in lines[-1]


def test_a_file_cannot_write_commands_of_its_own() -> None:
    hostile = '{"runArgs": ["--cap-add=ALL", "--network=x%0A::error::y", "--pid=host"], "initializeCommand": "a\\n::set-output name=x::%0Ay"}'
    checked = analysis.check_source(SourceText("/project/a,b:c/devcontainer.json", hostile))
    for line in github.document(checked, options()).splitlines():
        match = re.fullmatch(r"::(?:error|warning|notice) ([^:]*)::(.*)", line)
        assert match is not None
        assert match[1].startswith("file=a%2Cb%3Ac/devcontainer.json,line=")


def test_accepted_findings_are_no_annotations() -> None:
    checked = report()
    accepted = tuple(f._replace(suppressed=Suppressed("x", "y")) for f in checked.findings)
    assert "::error" not in github.document(checked._replace(findings=accepted), options())


def test_no_annotation_drives_a_terminal() -> None:
    checked = report()
    path = PATH + "\x1b]0;x\x07\u202e"
    skipped = (Skipped(path, "names \x9b31m", "look\r\n::error::x"),)
    text = github.document(checked._replace(skipped=skipped), options())
    assert all(char.isprintable() or char == "\n" for char in text)
    assert "\n::error::x" not in text


def test_a_message_is_no_link() -> None:
    """A viewer of SARIF makes links of text, too."""
    document = log(
        report('{"image": "a", "capAdd": ["[Repair](command:x)"], "foo](command:y)": 1}')
    )
    texts = [result["message"]["text"] for result in document["results"]]
    assert any("Repair] (command:x)" in text for text in texts)
    assert not any("](" in text for text in texts)
