"""Open texts: what the client sees is what is judged, in every unit of columns."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st
from lsprotocol import types

from sandboxd.lsp.documents import Documents, uri_path
from sandboxd.text import Encoding

ENCODINGS: tuple[Encoding, ...] = ("utf-8", "utf-16", "utf-32")


def whole(text: str) -> types.TextDocumentContentChangeWholeDocument:
    return types.TextDocumentContentChangeWholeDocument(text)


def part(
    line: int, start: int, end: int, text: str, last: int | None = None
) -> types.TextDocumentContentChangePartial:
    place = types.Range(
        types.Position(line, start), types.Position(line if last is None else last, end)
    )
    return types.TextDocumentContentChangePartial(place, text)


def text_of(documents: Documents) -> str:
    document = documents.get("file:///a")
    assert document is not None
    return document.source.text


@pytest.mark.parametrize(("encoding", "column"), [("utf-8", 4), ("utf-16", 2), ("utf-32", 1)])
def test_columns_after_an_emoji(encoding: Encoding, column: int) -> None:
    documents = Documents()
    documents.open("file:///a", 1, "\U0001f600x")
    assert documents.change("file:///a", 2, [part(0, column, column + 1, "y")], encoding)
    assert text_of(documents) == "\U0001f600y"


def test_changes_apply_in_order_and_past_the_end_is_the_end() -> None:
    documents = Documents()
    documents.open("file:///a", 1, "abc")
    changes = [
        part(0, 99, 99, "X"),
        whole("one\r\ntwo\rthree"),
        part(2, 0, 5, "3"),
        part(9, 9, 9, "!"),
    ]
    assert documents.change("file:///a", 2, changes, "utf-16")
    assert text_of(documents) == "one\r\ntwo\r3!"


def test_a_range_that_ends_before_it_starts_inserts() -> None:
    documents = Documents()
    documents.open("file:///a", 1, "abcd")
    assert documents.change("file:///a", 2, [part(0, 3, 1, "X")], "utf-16")
    assert text_of(documents) == "abcXd"


def test_closed_and_unknown_documents_take_no_change() -> None:
    documents = Documents()
    documents.open("file:///a", 1, "x")
    documents.close("file:///a")
    documents.close("file:///a")
    assert not documents.change("file:///a", 2, [whole("y")], "utf-8")
    assert documents.uris() == []


@given(st.text(st.characters(codec=None)), st.integers(0, 9), st.integers(0, 9), st.integers(0, 9))
def test_any_text_and_any_range_are_taken(text: str, line: int, start: int, end: int) -> None:
    for encoding in ENCODINGS:
        documents = Documents()
        documents.open("file:///a", 1, text)
        assert documents.change("file:///a", 2, [part(line, start, end, "\ud800")], encoding)
        text_of(documents).encode("utf-8")


@pytest.mark.parametrize(
    ("uri", "path"),
    [
        ("file:///a%20b/%C3%BC/devcontainer.json", "/a b/ü/devcontainer.json"),
        ("untitled:Untitled-1", "Untitled-1"),
        ("vscode-remote://wsl/x/.devcontainer.json", "wsl/x/.devcontainer.json"),
        ("file://[broken", ""),
        ("", ""),
    ],
)
def test_paths_of_uris(uri: str, path: str) -> None:
    assert uri_path(uri) == path
