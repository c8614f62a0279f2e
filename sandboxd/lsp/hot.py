"""Decodes and encodes, without the converter, the two messages that each key press causes.

These are an incoming `didChange` and an outgoing `publishDiagnostics`. Both are simple, and cattrs takes as long for
them as the rules do for a small file. Messages of another form go through the converter.
"""

from __future__ import annotations

import json
from typing import Any

from lsprotocol import types

_VERSION = "2.0"


def change(data: dict[str, Any]) -> types.DidChangeTextDocumentParams | None:
    """The params of a `didChange` that contains the whole text once; None for any other."""
    if data.get("method") != types.TEXT_DOCUMENT_DID_CHANGE or "id" in data:
        return None
    params = data.get("params")
    if not isinstance(params, dict):
        return None
    where, changes = params.get("textDocument"), params.get("contentChanges")
    if not isinstance(where, dict) or not isinstance(changes, list) or len(changes) != 1:
        return None
    uri, version, (content,) = where.get("uri"), where.get("version"), changes
    if not isinstance(uri, str) or type(version) is not int or not isinstance(content, dict):
        return None
    text = content.get("text")
    if not isinstance(text, str) or "range" in content:
        return None
    return types.DidChangeTextDocumentParams(
        types.VersionedTextDocumentIdentifier(version, uri),
        [types.TextDocumentContentChangeWholeDocument(text)],
    )


def publication(uri: str, diagnostics: list[types.Diagnostic], version: int | None) -> bytes:
    """A `publishDiagnostics` message with its header; without a version if `version` is None."""
    params: dict[str, Any] = {"uri": uri, "diagnostics": [diagnostic(d) for d in diagnostics]}
    if version is not None:
        params["version"] = version
    message = {
        "jsonrpc": _VERSION,
        "method": types.TEXT_DOCUMENT_PUBLISH_DIAGNOSTICS,
        "params": params,
    }
    body = json.dumps(message, separators=(",", ":")).encode()
    return b"Content-Length: %d\r\n\r\n" % len(body) + body


def diagnostic(source: types.Diagnostic) -> dict[str, Any]:
    """The JSON of one diagnostic; fields that are None are left out, as the protocol requires."""
    data: dict[str, Any] = {"range": _range(source.range), "message": source.message}
    if source.severity is not None:
        data["severity"] = int(source.severity)
    if source.code is not None:
        data["code"] = source.code
    if source.code_description is not None:
        data["codeDescription"] = {"href": source.code_description.href}
    if source.source is not None:
        data["source"] = source.source
    if source.tags is not None:
        data["tags"] = [int(tag) for tag in source.tags]
    if source.related_information is not None:
        data["relatedInformation"] = [
            {
                "location": {"uri": item.location.uri, "range": _range(item.location.range)},
                "message": item.message,
            }
            for item in source.related_information
        ]
    if source.data is not None:
        data["data"] = source.data
    return data


def _range(range_: types.Range) -> dict[str, Any]:
    start, end = range_.start, range_.end
    return {
        "start": {"line": start.line, "character": start.character},
        "end": {"line": end.line, "character": end.character},
    }
