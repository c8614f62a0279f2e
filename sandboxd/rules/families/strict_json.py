"""Files that another program reads as strict JSON, and that hold what only JSON with comments allows."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from sandboxd.findings import Finding, Place, RuleMeta, Severity
from sandboxd.rules._needs import Kind
from sandboxd.text import Span

if TYPE_CHECKING:
    from collections.abc import Iterator

    from sandboxd.host.facts import HostFacts
    from sandboxd.model.document import Document


class StrictFile(NamedTuple):
    """Findings for the first comment, and the first comma behind a last element.

    Text that is not even JSON with comments is left to `json-syntax-error`.
    """

    META: RuleMeta
    effect: str
    """The end of the message: what the engine does with such a file."""

    def check(self, subject: Document, host: HostFacts) -> Iterator[Finding]:
        tree = subject.tree
        if tree.comments:
            yield self._finding(subject, tree.comments[0].span, "comment", "comments are")
        elif tree.errors:
            return
        comma = None if tree.comments else _trailing_comma(subject.source.text)
        if comma is not None:
            what = "a comma behind the last element is"
            yield self._finding(subject, Span(comma, comma + 1), "comma", what)

    def _finding(self, document: Document, span: Span, evidence: str, what: str) -> Finding:
        return Finding(
            self.META.id,
            self.META.severity,
            f"{what} no strict JSON: {self.effect}",
            Place(document.source.path, span),
            evidence,
            why=self.META.why,
        )


def _trailing_comma(text: str) -> int | None:
    """The offset of the first one in a text without comments."""
    import re

    for match in re.finditer(r'"(?:[^"\\]|\\.)*+"?|(,)\s*+[\]}]', text):
        if match[1] is not None:
            return match.start(1)
    return None


ROWS = (
    StrictFile(
        RuleMeta(
            id="daemon-not-strict-json",
            summary="the engine's config holds what only JSON with comments allows",
            severity=Severity.ERROR,
            since="0.1.0",
            why="dockerd does not start",
            needs=(Kind("daemon_json"),),
        ),
        effect="dockerd does not start with it",
    ),
    StrictFile(
        RuleMeta(
            id="seccomp-not-strict-json",
            summary="the profile holds what only JSON with comments allows",
            severity=Severity.ERROR,
            since="0.1.0",
            why="docker reads profiles as strict JSON: the container does not start",
            needs=(Kind("seccomp"),),
        ),
        effect="docker refuses the profile",
    ),
)
