"""Findings that stand in another file than the one that is checked.

A devcontainer.json is judged together with its Compose files and its Dockerfile. What is wrong
there is shown there, with the comments of that file, and once, however many files lead to it.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from sandboxd import kinds
from sandboxd.analysis import suppressions
from sandboxd.errors import UnreadableError

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable

    from sandboxd.analysis.settings import RuleSettings
    from sandboxd.effective.variables import Variables
    from sandboxd.findings import Finding
    from sandboxd.model.document import Document
    from sandboxd.text import SourceText


def parted(findings: list[Finding], document: Document) -> tuple[list[Finding], list[Finding]]:
    """Return the findings in the file itself, and those in other files."""
    path = document.source.path
    own = [finding for finding in findings if finding.place.path == path]
    if len(own) == len(findings):
        return own, []
    return own, [finding for finding in findings if finding.place.path != path]


def allowed(
    findings: list[Finding],
    document: Document,
    variables: Variables,
    known: Collection[str],
    settings: RuleSettings,
) -> list[Finding]:
    """The findings of other files with those marked that a comment there allows."""
    by_path: dict[str, list[Finding]] = {}
    for finding in findings:
        by_path.setdefault(finding.place.path, []).append(finding)
    made: list[Finding] = []
    for path, found in by_path.items():
        source = _source(path, document, variables)
        kind = kinds.find(path, source.text) if source is not None else None
        if source is not None and kind is not None:
            written = suppressions.read(kind.parse(source), known)
            found, _ = suppressions.apply(found, written, source, settings)
        made.extend(found)
    return made


def add_sources(
    sources: dict[str, SourceText],
    findings: Iterable[Finding],
    document: Document,
    variables: Variables,
) -> None:
    """The texts of the files that findings point into, for whoever shows them."""
    for finding in findings:
        for place in (finding.place, *(related.place for related in finding.related)):
            if place.path not in sources:
                source = _source(place.path, document, variables)
                if source is not None:
                    sources[place.path] = source


def unique(findings: Iterable[Finding]) -> list[Finding]:
    """Return the findings without doubles, file by file; of two alike the one that can be fixed."""
    kept: dict[object, Finding] = {}
    order: dict[str, int] = {}
    for finding in findings:
        key = finding.rule, finding.place, finding.evidence
        order.setdefault(finding.place.path, len(order))
        before = kept.get(key)
        if before is None or (finding.fixes and not before.fixes):
            kept[key] = finding
    return sorted(kept.values(), key=lambda finding: order[finding.place.path])


def _source(path: str, document: Document, variables: Variables) -> SourceText | None:
    if path == document.source.path:
        return document.source
    try:
        return variables.read(path, document.source.path)
    except UnreadableError:
        return None
