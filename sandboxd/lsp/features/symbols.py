"""Document symbols of a `sandboxd.toml`: its tables and keys, for an editor's outline."""

from __future__ import annotations

import os

from lsprotocol import types

from sandboxd.files import CONFIG_NAME
from sandboxd.lsp import convert
from sandboxd.lsp.context import Context
from sandboxd.lsp.documents import OpenDocument
from sandboxd.syntax.node import Member, Node
from sandboxd.text import Span

_KINDS = {
    "object": types.SymbolKind.Namespace,
    "array": types.SymbolKind.Array,
    "boolean": types.SymbolKind.Boolean,
    "number": types.SymbolKind.Number,
}


def register(context: Context) -> None:
    context.feature(types.TEXT_DOCUMENT_DOCUMENT_SYMBOL, Symbols(context).symbols)


class Symbols:
    """Answers `textDocument/documentSymbol`."""

    def __init__(self, context: Context) -> None:
        self._context = context

    def symbols(self, params: types.DocumentSymbolParams) -> list[types.DocumentSymbol]:
        document = self._context.judgements.document(params.text_document.uri)
        if document is None or os.path.basename(document.source.path) != CONFIG_NAME:
            return []
        root = document.parsed.tree.root
        return [self._symbol(member, document) for member in root.members] if root else []

    def _symbol(self, member: Member, document: OpenDocument) -> types.DocumentSymbol:
        encoding = self._context.judgements.client().encoding
        key, value = member
        whole = Span(min(key.span.start, value.span.start), max(key.span.end, value.span.end))
        return types.DocumentSymbol(
            name=str(key.value) or '""',
            detail=_detail(value),
            kind=_KINDS.get(value.kind, types.SymbolKind.String),
            range=convert.text_range(whole, document.source, encoding),
            selection_range=convert.text_range(key.span, document.source, encoding),
            children=self._children(value, document),
        )

    def _children(self, value: Node, document: OpenDocument) -> list[types.DocumentSymbol]:
        """The symbols below a table; the file has two levels."""
        encoding = self._context.judgements.client().encoding
        return [
            types.DocumentSymbol(
                name=str(key.value) or '""',
                detail=_detail(inner),
                kind=_KINDS.get(inner.kind, types.SymbolKind.String),
                range=convert.text_range(
                    Span(min(key.span.start, inner.span.start), max(key.span.end, inner.span.end)),
                    document.source,
                    encoding,
                ),
                selection_range=convert.text_range(key.span, document.source, encoding),
            )
            for key, inner in value.members
        ]


def _detail(value: Node) -> str:
    if value.kind == "array":
        return f"{len(value.items)} items"
    return "" if value.kind == "object" else str(value.value)[:60]
