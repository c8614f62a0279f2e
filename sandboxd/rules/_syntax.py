"""Findings about text that a parser could not read, for every language's syntax-error rule."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from sandboxd.findings import Finding, Place, RuleMeta, Skipped

if TYPE_CHECKING:
    from collections.abc import Iterator

    from sandboxd.model.document import Document
    from sandboxd.text import Span

# A line of Jinja, Twig or Liquid, and a folder that cookiecutter or copier names.
_TAG = r"(?m)^[ \t]*\{%[-+]?[ \t]*(?:if|for|set|raw|block|include|macro|extends|import|from|with|comment)\b"
_TEMPLATES = ("{{", "{%", "[[")
# One missing mark makes many errors; nobody reads more than a screen of them.
_MOST = 20


def errors(meta: RuleMeta, document: Document) -> Iterator[Finding | Skipped]:
    """A finding for each problem of the text; problems with a code have rules of their own.

    A template of another program is no text of the language yet: that is named as not judged.
    """
    problems = document.tree.errors
    if problems and _is_template(document):
        hint = "check what the template makes: `sandboxd check FOLDER` where it was filled in"
        reason = "is a template of another program, and not judged where that hides what it is"
        yield Skipped(document.source.path, reason, hint, is_file=True)
        return
    for problem in problems[:_MOST]:
        yield at(meta, document, problem.span, problem.message)
    more = len(problems) - _MOST
    if more > 0:
        message = f"{more} more errors are not listed: correct the {_MOST} before this one first"
        yield at(meta, document, problems[_MOST].span, message)


def _is_template(document: Document) -> bool:
    folder = document.source.path.rpartition("/")[0]
    return (
        any(mark in folder for mark in _TEMPLATES)
        or re.search(_TAG, document.source.text) is not None
    )


def at(meta: RuleMeta, document: Document, span: Span, message: str) -> Finding:
    """A finding whose message is its identity, so that it is the same on another line."""
    place = Place(document.source.path, span)
    return Finding(meta.id, meta.severity, message, place, message, why=meta.why)
