"""Findings about text that a parser could not read, for every language's syntax-error rule."""

from __future__ import annotations

from typing import TYPE_CHECKING

from sandboxd.findings import Finding, Place, RuleMeta

if TYPE_CHECKING:
    from collections.abc import Iterator

    from sandboxd.model.document import Document
    from sandboxd.text import Span

# One missing mark makes many errors; nobody reads more than a screen of them.
_MOST = 20


def errors(meta: RuleMeta, document: Document) -> Iterator[Finding]:
    """A finding for each problem of the text; problems with a code have rules of their own."""
    problems = [problem for problem in document.tree.problems if not problem.code]
    for problem in problems[:_MOST]:
        yield at(meta, document, problem.span, problem.message)
    more = len(problems) - _MOST
    if more > 0:
        message = f"{more} more errors are not listed: correct the {_MOST} before this one first"
        yield at(meta, document, problems[_MOST].span, message)


def at(meta: RuleMeta, document: Document, span: Span, message: str) -> Finding:
    """A finding whose message is its identity, so that it is the same on another line."""
    place = Place(document.source.path, span)
    return Finding(meta.id, meta.severity, message, place, message, why=meta.why)
