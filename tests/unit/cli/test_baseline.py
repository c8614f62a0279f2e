"""A baseline that is written anew: what was accepted keeps its reason, as long as that holds."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from sandboxd.cli._baseline import Baseline, Entry, Key
from sandboxd.findings import Finding, Place, Severity
from sandboxd.text import Span

TODAY = "2026-06-01"


def finding(folder: Path, rule: str) -> Finding:
    place = Place(str(folder / "devcontainer.json"), Span(0, 1))
    return Finding(rule, Severity.WARNING, "is weak", place, evidence=rule)


def rows(folder: Path, *entries: Entry) -> list[dict[str, Any]]:
    baseline = Baseline(str(folder / "baseline.json"), entries, TODAY)
    findings = [finding(folder, rule) for rule in ("old", "new", "new")]
    entries_of_file: list[dict[str, Any]] = json.loads(
        baseline.with_findings(findings, "for now", "2026-12-31")
    )["findings"]
    return entries_of_file


@pytest.mark.parametrize(
    ("expires", "stays"), [("", True), (TODAY, True), ("2026-07-01", True), ("2026-05-31", False)]
)
def test_what_was_accepted_keeps_its_reason_until_it_expires(
    tmp_path: Path, expires: str, stays: bool
) -> None:
    key = Key("old", "devcontainer.json", "old")
    new, old = rows(tmp_path, Entry(key, 1, "agreed", expires))
    assert (new["rule"], new["count"], new["reason"], new["expires"]) == (
        "new", 2, "for now", "2026-12-31",
    )  # fmt: skip
    assert old["reason"] == ("agreed" if stays else "for now")
    assert old["expires"] == ((expires or None) if stays else "2026-12-31")
