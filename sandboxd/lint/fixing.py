"""Applies fixes in passes, since one edit can make another possible, until nothing changes."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, NamedTuple

from sandboxd.findings import Severity
from sandboxd.formats.resolved.variables import Variables
from sandboxd.host.facts import UNKNOWN, HostFacts
from sandboxd.lint import analysis
from sandboxd.lint.settings import NO_SETTINGS, RuleSettings
from sandboxd.text import SourceText, apply_edits

if TYPE_CHECKING:
    from collections.abc import Collection

    from sandboxd.findings import Finding, Fix, Report
    from sandboxd.model.document import Document

# Each pass makes every edit that touches no other; a file with more rounds than this has a pair
# of fixes that undo each other.
MAX_PASSES = 20
MAX_CHARACTERS = 4_000_000
_BETWEEN = re.compile(r"(?:[, \t\r\n]|(?<=[, \t\r\n])(?:#|//)[^\n]*)*+")

_NOT_KNOWN = Variables()


class Applied(NamedTuple):
    """A fix that was applied, and the finding that it was for."""

    finding: Finding
    fix: Fix


class Fixed(NamedTuple):
    """A text after fixing, the fixes that were applied, and the report on the new text."""

    source: SourceText
    applied: tuple[Applied, ...]
    report: Report


def fix_source(
    source: SourceText,
    *,
    unsafe: bool = False,
    threshold: Severity = Severity.WARNING,
    host: HostFacts = UNKNOWN,
    variables: Variables = _NOT_KNOWN,
    settings: RuleSettings = NO_SETTINGS,
    only: Collection[str] | None = None,
    kind: str = "",
    parsed: Document | None = None,
) -> Fixed:
    """Fix every finding of at least `threshold` that has a fix; none in a text that is not valid in its language.

    :param unsafe: also apply fixes that are not marked as safe

    The other parameters are those of :func:`sandboxd.lint.analysis.check_source`.
    """

    def judge(text: SourceText, parsed: Document | None = None) -> Report:
        return analysis.check_source(
            text,
            host=host,
            variables=variables,
            settings=settings,
            only=only,
            kind=kind,
            parsed=parsed,
        )

    applied: list[Applied] = []
    texts = {source.text}
    report = judge(source, parsed)
    for number in range(MAX_PASSES):
        chosen = _choose(report, unsafe, threshold)
        if not chosen or number * len(source.text) > MAX_CHARACTERS:
            break
        edits = [edit for applicable in chosen for edit in applicable.fix.edits]
        text = apply_edits(source.text, edits)
        if text in texts:
            break
        texts.add(text)
        applied.extend(chosen)
        source = SourceText(source.path, text)
        report = judge(source)
    return Fixed(source, tuple(applied), report)


def _choose(report: Report, unsafe: bool, threshold: Severity) -> list[Applied]:
    """One fix for each finding, in the order of the file, none touching another.

    Edits with nothing but commas, blanks and comments between them count as touching: both may be about
    the same comma, and the last item of an array takes the array along.
    """
    chosen: list[Applied] = []
    occupied: list[tuple[int, int]] = []
    texts = {path: source.text for path, source in report.sources.items()}
    for finding in report.findings:
        if finding.suppressed or finding.severity < threshold:
            continue
        for fix in finding.fixes:
            text = texts[fix.path]
            spans = [_pad(text, edit.span.start, edit.span.end) for edit in fix.edits]
            free = all(end < s or e < start for s, e in occupied for start, end in spans)
            if free and (fix.safe or unsafe):
                chosen.append(Applied(finding, fix))
                occupied.extend(spans)
                break
    return chosen


def _pad(text: str, start: int, end: int) -> tuple[int, int]:
    """A span with the commas and blanks around it, and the comments behind it."""
    while start > 0 and text[start - 1] in ", \t\r\n":
        start -= 1
    match = _BETWEEN.match(text, end)
    return start, match.end() if match is not None else end
