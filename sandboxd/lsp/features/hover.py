"""Hover: why the setting under the cursor is weak, and what to do instead."""

from __future__ import annotations

import inspect

from lsprotocol import types

from sandboxd import rules
from sandboxd.lsp import convert
from sandboxd.lsp.features.diagnostics import Diagnostics
from sandboxd.text import Position


class Hover:
    """Answers `textDocument/hover` with the page of each rule found there."""

    def __init__(self, diagnostics: Diagnostics) -> None:
        self._diagnostics = diagnostics

    def hover(self, params: types.HoverParams) -> types.Hover | None:
        judged = self._diagnostics.current(params.text_document.uri)
        if judged is None:
            return None
        source = judged.document.source
        encoding = self._diagnostics.client().encoding
        at = source.offset(Position(params.position.line, params.position.character), encoding)
        here = [
            finding
            for finding in judged.report.findings
            if finding.place.path == source.path
            and finding.place.span.start <= at <= finding.place.span.end
        ]
        if not here:
            return None
        pages = dict.fromkeys(f"**{f.rule}**: {f.message}\n\n{_page(f.rule)}" for f in here)
        text = "\n\n---\n\n".join(pages)
        return types.Hover(
            contents=types.MarkupContent(types.MarkupKind.Markdown, text),
            range=convert.text_range(here[0].place.span, source, encoding),
        )


def _page(rule: str) -> str:
    module = rules.load().get(rule)
    return inspect.cleandoc(module.__doc__ or "") if module is not None else ""
