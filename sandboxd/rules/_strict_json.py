"""Forms that JSON with comments allows but strict JSON does not."""

from __future__ import annotations

from typing import TYPE_CHECKING

from sandboxd.findings import Finding, Place
from sandboxd.text import Span

if TYPE_CHECKING:
    from collections.abc import Iterator

    from sandboxd.findings import RuleMeta
    from sandboxd.model.document import Document


def breaches(meta: RuleMeta, document: Document, effect: str) -> Iterator[Finding]:
    """Findings for the first comment, and the first comma behind a last element.

    Text that is not even JSON with comments is left to `json-syntax-error`.
    """
    path = document.source.path
    tree = document.tree
    if tree.comments:
        message = f"comments are no strict JSON: {effect}"
        place = Place(path, tree.comments[0].span)
        yield Finding(meta.id, meta.severity, message, place, "comment", why=meta.why)
    elif any(not problem.code for problem in tree.problems):
        return
    comma = None if tree.comments else _trailing_comma(document.source.text)
    if comma is not None:
        message = f"a comma behind the last element is no strict JSON: {effect}"
        place = Place(path, Span(comma, comma + 1))
        yield Finding(meta.id, meta.severity, message, place, "comma", why=meta.why)


def _trailing_comma(text: str) -> int | None:
    """The offset of the first one in a text without comments."""
    import re

    for match in re.finditer(r'"(?:[^"\\]|\\.)*"|(,)\s*[\]}]', text):
        if match[1] is not None:
            return match.start(1)
    return None
