"""The JSON output of `check`. All fields are always present; see docs/check-json.md.

Lines and columns count from 1, columns in code points; the end is the place behind the last
character.
"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

from sandboxd.render import relative_path
from sandboxd.text import SourceText

if TYPE_CHECKING:
    from typing import Any

    from sandboxd.findings import Finding, Place, Report
    from sandboxd.render import Options

VERSION = 1


def document(report: Report, options: Options) -> str:
    return render(report, options.cwd) + "\n"


def render(report: Report, cwd: str) -> str:
    """One JSON object, without a newline at its end."""
    return json.dumps(
        {
            "version": VERSION,
            "findings": [_finding(finding, report, cwd) for finding in report.findings],
            "skipped": [
                {"path": relative_path(skipped.path, cwd), "reason": skipped.reason}
                for skipped in report.skipped
            ],
            "files": report.files,
        },
        indent=2,
    )


def _finding(finding: Finding, report: Report, cwd: str) -> dict[str, Any]:
    place = finding.place
    source = report.sources.get(place.path) or SourceText(place.path, "")
    start, end = source.position(place.span.start), source.position(place.span.end)
    fix = finding.fixes[0] if finding.fixes else None
    return {
        "rule": finding.rule,
        "severity": finding.severity.label,
        "path": relative_path(place.path, cwd),
        "line": start.line + 1,
        "column": start.column + 1,
        "end_line": end.line + 1,
        "end_column": end.column + 1,
        "message": finding.message,
        "evidence": finding.evidence,
        "origin": finding.origin,
        "related": [
            _related(related.place, related.message, report, cwd) for related in finding.related
        ],
        "fix": None if fix is None else {"title": fix.title, "safe": fix.safe},
        "suppressed": finding.suppressed._asdict() if finding.suppressed else None,
    }


def _related(place: Place, message: str, report: Report, cwd: str) -> dict[str, Any]:
    source = report.sources.get(place.path) or SourceText(place.path, "")
    start = source.position(place.span.start)
    return {
        "path": relative_path(place.path, cwd),
        "line": start.line + 1,
        "column": start.column + 1,
        "message": message,
    }
