"""The texts that a client has open: what it sees, not what is on disk."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple
from urllib.parse import unquote, urlsplit

from lsprotocol import types

from sandboxd.text import Edit, Encoding, Position, SourceText, Span, apply_edits

Changes = Sequence[types.TextDocumentContentChangeEvent]


class OpenDocument(NamedTuple):
    """One version of one open text."""

    uri: str
    version: int
    source: SourceText


class Documents:
    """Open documents by URI."""

    def __init__(self) -> None:
        self._open: dict[str, OpenDocument] = {}

    def get(self, uri: str) -> OpenDocument | None:
        return self._open.get(uri)

    def uris(self) -> list[str]:
        return list(self._open)

    def open(self, uri: str, version: int, text: str) -> None:
        self._open[uri] = OpenDocument(uri, version, SourceText(uri_path(uri), _clean(text)))

    def change(self, uri: str, version: int, changes: Changes, encoding: Encoding) -> bool:
        """Apply `changes` in order; False when the document is not open.

        We ask for the whole text at each change; a client that sends ranges is served as well.
        """
        document = self._open.get(uri)
        if document is None:
            return False
        source = document.source
        for change in changes:
            source = SourceText(source.path, _clean(_changed(source, change, encoding)))
        self._open[uri] = OpenDocument(uri, version, source)
        return True

    def close(self, uri: str) -> None:
        self._open.pop(uri, None)


def uri_path(uri: str) -> str:
    """The path that a document is shown and judged under; '' when there is none."""
    try:
        return unquote(urlsplit(uri).path)
    except ValueError:
        return ""


def _changed(
    source: SourceText, change: types.TextDocumentContentChangeEvent, encoding: Encoding
) -> str:
    if isinstance(change, types.TextDocumentContentChangeWholeDocument):
        return change.text
    first, last = change.range.start, change.range.end
    start = source.offset(Position(first.line, first.character), encoding)
    end = source.offset(Position(last.line, last.character), encoding)
    return apply_edits(source.text, [Edit(Span(start, max(start, end)), change.text)])


def _clean(text: str) -> str:
    """`text` without what JSON may smuggle in but no file can hold: lone surrogates."""
    try:
        text.encode("utf-8")
    except UnicodeEncodeError:
        return text.encode("utf-8", "replace").decode("utf-8")
    return text
