"""SARIF 2.1.0, for GitHub code scanning and other viewers.

A finding's fingerprint is made of its rule, its evidence and its file: it survives rewording and
moved lines, so that a viewer knows it again.
"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

from sandboxd.findings import Severity
from sandboxd.markup import in_message
from sandboxd.render import relative_path
from sandboxd.text import SourceText

if TYPE_CHECKING:
    from typing import Any

    from sandboxd.findings import Finding, Fix, Place, Report, Skipped
    from sandboxd.render import Options, RuleText
    from sandboxd.text import Span

SCHEMA = (
    "https://docs.oasis-open.org/sarif/sarif/v2.1.0/errata01/os/schemas/sarif-schema-2.1.0.json"
)
_LEVELS = {Severity.ERROR: "error", Severity.WARNING: "warning", Severity.HINT: "note"}
# GitHub sorts by this number: high, medium and low.
_SECURITY = {Severity.ERROR: "8.0", Severity.WARNING: "5.0", Severity.HINT: "2.0"}
_ROOT = "SRCROOT"


def document(report: Report, options: Options) -> str:
    return json.dumps(_Log(report, options).run(), indent=2) + "\n"


class _Log:
    def __init__(self, report: Report, options: Options) -> None:
        self.report = report
        self.options = options
        self.rules = sorted({finding.rule for finding in report.findings})
        self.index = {rule: number for number, rule in enumerate(self.rules)}
        self.occurrences: dict[str, int] = {}

    def run(self) -> dict[str, Any]:
        driver = {
            "name": "sandboxd",
            "semanticVersion": self.options.version,
            "rules": [_rule(self.options.describe(rule)) for rule in self.rules],
        }
        run = {
            "tool": {"driver": driver},
            "columnKind": "unicodeCodePoints",
            "originalUriBaseIds": {_ROOT: {"uri": _folder_uri(self.options.cwd)}},
            "invocations": [
                {
                    "executionSuccessful": True,
                    "toolExecutionNotifications": [
                        self.notification(skipped) for skipped in self.report.skipped
                    ],
                }
            ],
            "results": [self.result(finding) for finding in self.report.findings],
        }
        return {"$schema": SCHEMA, "version": "2.1.0", "runs": [run]}

    def result(self, finding: Finding) -> dict[str, Any]:
        properties: dict[str, Any] = {
            "ruleId": finding.rule,
            "ruleIndex": self.index[finding.rule],
            "level": _LEVELS[finding.severity],
            "message": {"text": in_message(finding.message)},
            "locations": [self.location(finding.place)],
            "partialFingerprints": {"sandboxd/v1": self.fingerprint(finding)},
            "properties": {"evidence": finding.evidence, "origin": finding.origin},
        }
        if finding.related:
            properties["relatedLocations"] = [
                {**self.location(related.place), "message": {"text": in_message(related.message)}}
                for related in finding.related
            ]
        if finding.fixes:
            properties["fixes"] = [self.fix(fix) for fix in finding.fixes]
        if finding.suppressed:
            kind = "inSource" if finding.suppressed.by == "comment" else "external"
            properties["suppressions"] = [
                {"kind": kind, "justification": finding.suppressed.reason}
            ]
        return properties

    def fingerprint(self, finding: Finding) -> str:
        """A hash of the finding; equal findings of one file are numbered."""
        from hashlib import sha256

        path = relative_path(finding.place.path, self.options.cwd)
        identity = "\0".join((finding.rule, finding.evidence, path))
        number = self.occurrences[identity] = self.occurrences.get(identity, 0) + 1
        text = f"{identity}\0{number}".encode("utf-8", "surrogatepass")
        return sha256(text).hexdigest()[:32]

    def location(self, place: Place) -> dict[str, Any]:
        return {
            "physicalLocation": {
                "artifactLocation": self.artifact(place.path),
                "region": self.region(place.path, place.span),
            }
        }

    def region(self, path: str, span: Span) -> dict[str, int]:
        source = self.report.sources.get(path) or SourceText(path, "")
        start, end = source.position(span.start), source.position(span.end)
        return {
            "startLine": start.line + 1,
            "startColumn": start.column + 1,
            "endLine": end.line + 1,
            "endColumn": end.column + 1,
        }

    def artifact(self, path: str) -> dict[str, str]:
        name = relative_path(path, self.options.cwd)
        if name.startswith("/"):
            return {"uri": _quote(f"file://{name}")}
        return {"uri": _quote(name), "uriBaseId": _ROOT}

    def fix(self, fix: Fix) -> dict[str, Any]:
        caution = f"; then {fix.caution}" if fix.caution else ""
        return {
            "description": {"text": fix.title + caution},
            "artifactChanges": [
                {
                    "artifactLocation": self.artifact(fix.path),
                    "replacements": [
                        {
                            "deletedRegion": self.region(fix.path, edit.span),
                            "insertedContent": {"text": edit.text},
                        }
                        for edit in fix.edits
                    ],
                }
            ],
        }

    def notification(self, skipped: Skipped) -> dict[str, Any]:
        """The notification that a file was not checked."""
        return {
            "level": "warning",
            "message": {"text": in_message(f"not checked: {skipped.reason}")},
            "locations": [{"physicalLocation": {"artifactLocation": self.artifact(skipped.path)}}],
        }


def _rule(text: RuleText) -> dict[str, Any]:
    meta = text.meta
    return {
        "id": meta.id,
        "shortDescription": {"text": meta.summary},
        "fullDescription": {"text": meta.why or meta.summary},
        "help": {"text": text.page, "markdown": text.page},
        "defaultConfiguration": {"level": _LEVELS[meta.severity]},
        "properties": {"tags": ["security"], "security-severity": _SECURITY[meta.severity]},
    }


def _folder_uri(path: str) -> str:
    return _quote(f"file://{path.rstrip('/')}/")


def _quote(path: str) -> str:
    from urllib.parse import quote

    return quote(path.encode("utf-8", "surrogatepass"), safe="/:")
