"""The two messages that go with every key, without the converter.

`didChange` comes in and `publishDiagnostics` goes out; both are simple, and cattrs takes as long
for them as the rules do for a small file. Whatever is not of the usual shape goes the usual way.
"""

from __future__ import annotations

import json
from typing import Any

from lsprotocol import types

_VERSION = "2.0"


def change(data: dict[str, Any]) -> types.DidChangeTextDocumentParams | None:
    """The params of a `didChange` that holds the whole text once; None for anything else."""
    if data.get("method") != types.TEXT_DOCUMENT_DID_CHANGE or "id" in data:
        return None
    params = data.get("params")
    if not isinstance(params, dict):
        return None
    where, changes = params.get("textDocument"), params.get("contentChanges")
    if not isinstance(where, dict) or not isinstance(changes, list) or len(changes) != 1:
        return None
    uri, version, (given,) = where.get("uri"), where.get("version"), changes
    if not isinstance(uri, str) or type(version) is not int or not isinstance(given, dict):
        return None
    text = given.get("text")
    if not isinstance(text, str) or "range" in given:
        return None
    return types.DidChangeTextDocumentParams(
        types.VersionedTextDocumentIdentifier(version, uri),
        [types.TextDocumentContentChangeWholeDocument(text)],
    )


def publication(uri: str, diagnostics: list[types.Diagnostic], version: int | None) -> bytes:
    """A `publishDiagnostics` with its header; without a version where there is none."""
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


def diagnostic(given: types.Diagnostic) -> dict[str, Any]:
    """The JSON of one diagnostic; what is None is left out, as the protocol has it."""
    made: dict[str, Any] = {"range": _range(given.range), "message": given.message}
    if given.severity is not None:
        made["severity"] = int(given.severity)
    if given.code is not None:
        made["code"] = given.code
    if given.code_description is not None:
        made["codeDescription"] = {"href": given.code_description.href}
    if given.source is not None:
        made["source"] = given.source
    if given.tags is not None:
        made["tags"] = [int(tag) for tag in given.tags]
    if given.related_information is not None:
        made["relatedInformation"] = [
            {
                "location": {"uri": item.location.uri, "range": _range(item.location.range)},
                "message": item.message,
            }
            for item in given.related_information
        ]
    if given.data is not None:
        made["data"] = given.data
    return made


def _range(given: types.Range) -> dict[str, Any]:
    start, end = given.start, given.end
    return {
        "start": {"line": start.line, "character": start.character},
        "end": {"line": end.line, "character": end.character},
    }
