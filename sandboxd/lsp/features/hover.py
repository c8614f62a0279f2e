"""Hover: why the setting under the cursor is weak, and what to do instead.

In a file that sandboxd generated: which of profile, host and config decided the line, and why.
"""

from __future__ import annotations

import inspect
import re

from lsprotocol import types

from sandboxd import rules
from sandboxd.findings import Place
from sandboxd.lsp import convert, plans
from sandboxd.lsp.context import Context
from sandboxd.lsp.judgements import Judged


def register(context: Context) -> None:
    context.feature(types.TEXT_DOCUMENT_HOVER, Hover(context).hover)


class Hover:
    """Answers `textDocument/hover`."""

    def __init__(self, context: Context) -> None:
        self._context = context

    async def hover(self, params: types.HoverParams) -> types.Hover | None:
        judgements = self._context.judgements
        judged = judgements.current(params.text_document.uri)
        if judged is None:
            return None
        at = self._context.offset(judged.document, params.position)
        place, parts = _findings(judged, at)
        reasons = await plans.reasons_at(self._context, judged.document, at)
        if reasons is not None:
            place = place or reasons.place
            parts += reasons.lines
        if place is None:
            return None
        source = judged.document.source
        return types.Hover(
            contents=types.MarkupContent(types.MarkupKind.Markdown, "\n\n---\n\n".join(parts)),
            range=convert.text_range(place.span, source, judgements.client().encoding),
        )


def _findings(judged: Judged, at: int) -> tuple[Place | None, list[str]]:
    here = [f for f in judged.findings() if f.place.span.start <= at <= f.place.span.end]
    pages: dict[str, None] = {}
    for finding in here:
        head = f"**{finding.rule}**: {finding.message}"
        if finding.origin:
            head += f"\n\nFrom: {finding.origin}"
        pages[f"{head}\n\n{_page(finding.rule)}"] = None
    return (here[0].place if here else None), list(pages)


def _page(rule: str) -> str:
    """The rule's page; its headings in bold, since editors show real ones larger than the code."""
    module = rules.get(rule) if rule in rules.ids() else None
    page = inspect.cleandoc(module.__doc__ or "") if module is not None else ""
    return re.sub(r"^#+ +(.*)$", r"**\1**", page, flags=re.MULTILINE)
