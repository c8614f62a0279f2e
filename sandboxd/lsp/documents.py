"""The texts that a client has open: the editor's versions, not those on disk.

The kind of a text follows from its name, or from the client's language id, as a Dockerfile that was never saved has no
name yet.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import cached_property
from typing import NamedTuple
from urllib.parse import unquote, urlsplit

from lsprotocol import types

from sandboxd import formats
from sandboxd.model.document import Document
from sandboxd.model.files import ParsedTexts
from sandboxd.text import Edit, Encoding, Position, SourceText, Span, apply_edits

Changes = Sequence[types.TextDocumentContentChangeEvent]

# A daemon has the sessions of many editors.
_MOST_PARSED = 400_000


class _OpenDocument(NamedTuple):
    uri: str
    version: int
    source: SourceText
    kind: str = ""
    parsed_texts: ParsedTexts | None = None


class OpenDocument(_OpenDocument):
    """One version of one open text.

    `kind` is the name of the module of `formats` that reads it, '' for files that sandboxd does not check. `parsed_texts`
    is a cache of parsed texts, shared by all documents.
    """

    @cached_property
    def parsed(self) -> Document:
        """The parsed text, shared by the check and all features; only for a document that has a kind."""
        return formats.parsed(self.kind, self.source, self.parsed_texts)

    def on_disk(self) -> bool:
        """Whether its path is on this machine, so that the files that it names may be read."""
        return self.source.path.startswith("/")


class Documents:
    """Open documents by URI."""

    def __init__(self) -> None:
        self._open: dict[str, OpenDocument] = {}
        self.parsed_texts = ParsedTexts(_MOST_PARSED)
        """The open texts and those beside them, as they were parsed."""

    def get(self, uri: str) -> OpenDocument | None:
        return self._open.get(uri)

    def uris(self) -> list[str]:
        return list(self._open)

    def open(self, uri: str, version: int, text: str, language: str = "") -> None:
        path = uri_path(uri)
        source = SourceText(path, _clean(text))
        kind = kind_of(path, language, text)
        self._open[uri] = OpenDocument(uri, version, source, kind, self.parsed_texts)

    def change(self, uri: str, version: int, changes: Changes, encoding: Encoding) -> bool:
        """Apply `changes` in order; return False if the document is not open.

        We ask for the whole text at each change, but clients that send ranges are supported, too.
        """
        document = self._open.get(uri)
        if document is None:
            return False
        source = document.source
        for change in changes:
            source = SourceText(source.path, _clean(_apply_change(source, change, encoding)))
        self._open[uri] = document._replace(version=version, source=source)
        return True

    def close(self, uri: str) -> None:
        self._open.pop(uri, None)


def uri_path(uri: str) -> str:
    """The path under which a document is shown and checked; '' if there is none.

    Only the URI of a file on this machine gives an absolute path, so that no other URI leads to anything on disk.
    """
    try:
        parts = urlsplit(uri)
    except ValueError:
        return ""
    path = unquote(parts.path)
    if parts.scheme in ("", "file"):
        return path
    return f"{unquote(parts.netloc)}{path}".lstrip("/")


def kind_of(path: str, language: str = "", text: str | None = None) -> str:
    """The kind of a file by its name, or by the client's language id; '' for files that are not checked.

    `text` decides if other files have such a name as well.
    """
    kind = formats.find(path, text) if path else None
    return kind.NAME if kind is not None else formats.of_language(language)


def _apply_change(
    source: SourceText, change: types.TextDocumentContentChangeEvent, encoding: Encoding
) -> str:
    if isinstance(change, types.TextDocumentContentChangeWholeDocument):
        return change.text
    first, last = change.range.start, change.range.end
    start = source.offset(Position(first.line, first.character), encoding)
    end = source.offset(Position(last.line, last.character), encoding)
    return apply_edits(source.text, [Edit(Span(start, max(start, end)), change.text)])


def _clean(text: str) -> str:
    """`text` without lone surrogates, which JSON can carry but no file can hold."""
    try:
        text.encode("utf-8")
    except UnicodeEncodeError:
        return text.encode("utf-8", "replace").decode("utf-8")
    return text
