"""The profiles that we ship, and the list of the guide that others grade as good."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from sandboxd.findings import Finding, Severity
from sandboxd.lint import analysis
from sandboxd.lint.fixing import fix_source
from sandboxd.text import SourceText

FOLDER = Path(__file__).resolve().parents[3] / "profiles" / "seccomp"


def findings_of(name: str) -> list[Finding]:
    source = SourceText(name, (FOLDER / name).read_text())
    return list(analysis.check_source(source).findings)


@pytest.mark.parametrize("name", ["dev-runc.json", "agent-runc.json"])
def test_our_allowlists_are_clean(name: str) -> None:
    assert findings_of(name) == []


@pytest.mark.parametrize("name", ["dev-runsc.json", "agent-runsc.json"])
def test_our_denylists_are_a_hint_since_they_are_for_gvisor(name: str) -> None:
    assert [(f.rule, f.severity) for f in findings_of(name)] == [
        ("seccomp-default-allow", Severity.HINT)
    ]


def test_the_list_of_the_guide_opens_user_namespaces_and_stops_node() -> None:
    by_rule = {(f.rule, f.evidence): f.message for f in findings_of("seed-baseline.json")}
    assert "makes namespaces" in by_rule["seccomp-allows-namespaces", "clone"]
    assert ("seccomp-socket-unfiltered", "AF_ALG, AF_VSOCK") in by_rule
    node = by_rule["seccomp-breaks-dev-tools", "eventfd2"]
    assert node == "no `eventfd2`: node aborts at start"
    rules = {rule for rule, _ in by_rule}
    assert rules == {
        "seccomp-allows-namespaces",
        "seccomp-socket-unfiltered",
        "seccomp-breaks-dev-tools",
        "seccomp-arch-missing",
    }


def test_the_list_of_the_guide_can_be_fixed_to_a_clean_one() -> None:
    source = SourceText("seccomp.json", (FOLDER / "seed-baseline.json").read_text())
    fixed = fix_source(source, unsafe=True, threshold=Severity.HINT)
    assert list(fixed.report.findings) == []
    names = [name for rule in json.loads(fixed.source.text)["syscalls"] for name in rule["names"]]
    assert names.count("clone") == 1 and names.count("socket") == 1 and "eventfd2" in names
