"""Hover: why the setting under the cursor is weak, and what to do instead."""

from __future__ import annotations

import inspect
import re

from lsprotocol import types

from sandboxd import rules
from sandboxd.lsp import convert
from sandboxd.lsp.judgements import Judgements
from sandboxd.text import Position


class Hover:
    """Answers `textDocument/hover` with the page of each rule found there."""

    def __init__(self, judgements: Judgements) -> None:
        self._judgements = judgements

    def hover(self, params: types.HoverParams) -> types.Hover | None:
        judged = self._judgements.current(params.text_document.uri)
        if judged is None:
            return None
        source = judged.document.source
        encoding = self._judgements.client().encoding
        at = source.offset(Position(params.position.line, params.position.character), encoding)
        here = [f for f in judged.findings() if f.place.span.start <= at <= f.place.span.end]
        if not here:
            return None
        pages = dict.fromkeys(f"**{f.rule}**: {f.message}\n\n{_page(f.rule)}" for f in here)
        return types.Hover(
            contents=types.MarkupContent(types.MarkupKind.Markdown, "\n\n---\n\n".join(pages)),
            range=convert.text_range(here[0].place.span, source, encoding),
        )


def _page(rule: str) -> str:
    """The rule's page; its headings in bold, since editors show real ones larger than the code."""
    module = rules.get(rule) if rule in rules.ids() else None
    page = inspect.cleandoc(module.__doc__ or "") if module is not None else ""
    return re.sub(r"^#+ +(.*)$", r"**\1**", page, flags=re.MULTILINE)
