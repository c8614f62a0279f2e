"""Annotations of GitHub Actions: each finding stands at its line in the view of a pull request."""

from __future__ import annotations

from typing import TYPE_CHECKING

from sandboxd.findings import Severity
from sandboxd.render import relative_path
from sandboxd.screen import code_point
from sandboxd.text import SourceText

if TYPE_CHECKING:
    from sandboxd.findings import Finding, Report, Skipped
    from sandboxd.render import Options

_COMMANDS = {Severity.ERROR: "error", Severity.WARNING: "warning", Severity.HINT: "notice"}


def document(report: Report, options: Options) -> str:
    """One line for each finding that counts, and for each thing that was not checked."""
    lines = [
        _finding(finding, report, options.cwd)
        for finding in report.findings
        if not finding.suppressed
    ]
    lines += [_not_checked(skipped, options.cwd) for skipped in report.skipped]
    return "".join(f"{line}\n" for line in lines)


def _finding(finding: Finding, report: Report, cwd: str) -> str:
    place = finding.place
    source = report.sources.get(place.path) or SourceText(place.path, "")
    start, end = source.position(place.span.start), source.position(place.span.end)
    properties = {
        "file": relative_path(place.path, cwd),
        "line": start.line + 1,
        "endLine": end.line + 1,
        "col": start.column + 1,
        "endColumn": end.column + 1,
        "title": finding.rule,
    }
    parts = [finding.message]
    if finding.why:
        parts.append(f"why: {finding.why}")
    parts += [f"fix: {fix.title}" for fix in finding.fixes]
    return _command(_COMMANDS[finding.severity], properties, "\n".join(parts))


def _not_checked(skipped: Skipped, cwd: str) -> str:
    properties: dict[str, object] = {
        "file": relative_path(skipped.path, cwd),
        "title": "not checked",
    }
    hint = f"\nhint: {skipped.hint}" if skipped.hint else ""
    return _command("warning", properties, f"not checked: {skipped.reason}{hint}")


def _command(name: str, properties: dict[str, object], message: str) -> str:
    """A workflow command; text from a file is escaped so that it cannot become a command."""
    listed = ",".join(f"{key}={_escape(str(value), ':,')}" for key, value in properties.items())
    return f"::{name} {listed}::{_escape(message)}"


def _escape(text: str, more: str = "") -> str:
    return "".join(
        f"%{ord(char):02X}"
        if char in "%\r\n" or char in more
        else char
        if char.isprintable()
        else code_point(char)
        for char in text
    )
