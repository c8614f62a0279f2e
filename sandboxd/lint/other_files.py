"""Findings about another file than the one that is checked.

A devcontainer.json is judged together with its Compose files and its Dockerfile. What is wrong there is reported for
that file, its own suppression comments apply, and it is reported once even if several files refer to it.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from sandboxd import formats
from sandboxd.errors import UnreadableError
from sandboxd.lint import suppressions

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable

    from sandboxd.findings import Finding
    from sandboxd.formats.resolved.variables import Variables
    from sandboxd.lint.settings import RuleSettings
    from sandboxd.model.document import Document
    from sandboxd.text import SourceText


def split(findings: list[Finding], document: Document) -> tuple[list[Finding], list[Finding]]:
    """The findings in the document's own file, and those in other files."""
    path = document.source.path
    own = [finding for finding in findings if finding.place.path == path]
    if len(own) == len(findings):
        return own, []
    return own, [finding for finding in findings if finding.place.path != path]


def mark_allowed(
    findings: list[Finding],
    document: Document,
    variables: Variables,
    rule_ids: Collection[str],
    settings: RuleSettings,
) -> list[Finding]:
    """The findings, all of other files, with those marked as suppressed that a comment in their file allows.

    :param rule_ids: the ids of all rules
    """
    by_path: dict[str, list[Finding]] = {}
    for finding in findings:
        by_path.setdefault(finding.place.path, []).append(finding)
    marked: list[Finding] = []
    for path, of_file in by_path.items():
        source = _source(path, document, variables)
        kind = formats.find(path, source.text) if source is not None else None
        if source is not None and kind is not None:
            parsed = formats.parsed(kind.NAME, source, variables.files)
            written = suppressions.read(parsed, rule_ids)
            of_file, _ = suppressions.apply(of_file, written, source, settings)
        marked.extend(of_file)
    return marked


def add_sources(
    sources: dict[str, SourceText],
    findings: Iterable[Finding],
    document: Document,
    variables: Variables,
) -> None:
    """Add to `sources` the texts of the files that findings refer to, by path; unreadable ones are left out."""
    for finding in findings:
        for place in (finding.place, *(related.place for related in finding.related)):
            if place.path not in sources:
                source = _source(place.path, document, variables)
                if source is not None:
                    sources[place.path] = source


def unique(findings: Iterable[Finding]) -> list[Finding]:
    """The findings without duplicates, grouped by file; of equal ones one that counts is kept, and one with a fix."""
    by_key: dict[object, Finding] = {}
    order: dict[str, int] = {}
    for finding in findings:
        key = finding.rule, finding.place, finding.evidence
        order.setdefault(finding.place.path, len(order))
        before = by_key.get(key)
        if before is None or _weight(finding) > _weight(before):
            by_key[key] = finding
    return sorted(by_key.values(), key=lambda finding: order[finding.place.path])


def _weight(finding: Finding) -> tuple[bool, bool]:
    return finding.suppressed is None, bool(finding.fixes)


def _source(path: str, document: Document, variables: Variables) -> SourceText | None:
    if path == document.source.path:
        return document.source
    try:
        return variables.read(path, document.source.path)
    except UnreadableError:
        return None
