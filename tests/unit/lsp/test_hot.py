"""The short way for the messages of every key says exactly what the long way says."""

from __future__ import annotations

import json
from typing import Any

from cattrs import Converter
from hypothesis import given
from hypothesis import strategies as st
from lsprotocol import types
from lsprotocol.converters import get_converter

from sandboxd.lsp import hot

CONVERTER: Converter = get_converter()

_POSITIONS = st.builds(types.Position, st.integers(0, 2**31 - 1), st.integers(0, 2**31 - 1))
_RANGES = st.builds(types.Range, _POSITIONS, _POSITIONS)
_TEXTS = st.text(max_size=12)
_RELATED = st.builds(
    types.DiagnosticRelatedInformation, st.builds(types.Location, _TEXTS, _RANGES), _TEXTS
)
_DIAGNOSTICS = st.builds(
    types.Diagnostic,
    _RANGES,
    _TEXTS,
    severity=st.none() | st.sampled_from(types.DiagnosticSeverity),
    code=st.none() | _TEXTS,
    code_description=st.none() | st.builds(types.CodeDescription, _TEXTS),
    source=st.none() | _TEXTS,
    tags=st.none() | st.lists(st.sampled_from(types.DiagnosticTag), max_size=2),
    related_information=st.none() | st.lists(_RELATED, max_size=2),
    data=st.none()
    | st.fixed_dictionaries(
        {"rule": _TEXTS, "fixes": st.lists(st.fixed_dictionaries({"safe": st.booleans()}))}
    ),
)


@given(_TEXTS, st.lists(_DIAGNOSTICS, max_size=3), st.none() | st.integers(0, 2**31 - 1))
def test_a_publication_is_the_converters(
    uri: str, diagnostics: list[types.Diagnostic], version: int | None
) -> None:
    params = types.PublishDiagnosticsParams(uri, diagnostics, version)
    expected = CONVERTER.unstructure(types.PublishDiagnosticsNotification(params))
    header, _, body = hot.publication(uri, diagnostics, version).partition(b"\r\n\r\n")
    assert json.loads(body) == json.loads(json.dumps(expected))
    assert header == b"Content-Length: %d" % len(body)


_VALUES = st.none() | st.booleans() | st.integers(-2, 2**33) | _TEXTS


def _messages() -> st.SearchStrategy[dict[str, Any]]:
    """Changes of the usual shape, with now and then something else somewhere in it."""
    version = st.integers(0, 2**31 - 1) | _VALUES
    where = st.fixed_dictionaries({"uri": _TEXTS | _VALUES, "version": version}) | _VALUES
    place = {"start": {"line": 0, "character": 0}, "end": {"line": 0, "character": 0}}
    change = st.fixed_dictionaries(
        {"text": _TEXTS | _VALUES},
        optional={"range": st.just(place), "rangeLength": st.integers(0, 3)},
    )
    params = st.fixed_dictionaries(
        {"textDocument": where, "contentChanges": st.lists(change, max_size=2) | _VALUES}
    )
    return st.fixed_dictionaries(
        {
            "jsonrpc": st.just("2.0"),
            "method": st.just("textDocument/didChange") | _TEXTS,
            "params": params | _VALUES,
        },
        optional={"id": st.integers()},
    )


@given(_messages())
def test_a_change_is_the_converters_or_goes_the_long_way(message: dict[str, Any]) -> None:
    decoded = hot.change(message)
    if decoded is not None:
        whole = CONVERTER.structure(message, types.DidChangeTextDocumentNotification)
        # A list or a tuple, by the version of Python.
        whole.params.content_changes = list(whole.params.content_changes)
        assert decoded == whole.params


def test_a_plain_change_takes_the_short_way() -> None:
    params = {"textDocument": {"uri": "file:///a", "version": 3}, "contentChanges": [{"text": "x"}]}
    message = {"jsonrpc": "2.0", "method": "textDocument/didChange", "params": params}
    decoded = hot.change(message)
    assert decoded is not None
    assert decoded.text_document.version == 3
