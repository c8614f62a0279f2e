"""Runs a dummy session, so that the first editor need not wait for one-time work.

The converter compiles its hooks at the first message of each kind, and rules are imported when a file needs them: some
hundred milliseconds in all.
"""

from __future__ import annotations

import asyncio
import json
from typing import Any

from sandboxd import rules
from sandboxd.lsp.session import Session

_URI = "file:///-/.devcontainer/devcontainer.json"
_TEXT = """{
  "image": "x", "privileged": true, "runArgs": ["--pid=host"],
  "mounts": ["source=/var/run/docker.sock,target=/s,type=bind"] // comment
}
"""
_CAPABILITIES = {
    "general": {"positionEncodings": ["utf-16", "utf-8"]},
    "textDocument": {
        "publishDiagnostics": {"relatedInformation": True, "codeDescriptionSupport": True},
        "codeAction": {
            "codeActionLiteralSupport": {"codeActionKind": {"valueSet": ["quickfix"]}},
            "resolveSupport": {"properties": ["edit"]},
        },
        "hover": {"contentFormat": ["markdown"]},
        "completion": {"completionItem": {"snippetSupport": True}},
    },
    "workspace": {"workspaceEdit": {"documentChanges": True}, "workspaceFolders": True},
    "window": {"workDoneProgress": True},
}


class _Nobody:
    def write(self, data: bytes) -> None:
        """Write nothing: nobody reads it."""

    def close(self) -> None:
        """Do nothing: there is no stream."""


def warm_up() -> None:
    """Pass the usual messages of an editor through a session; takes about half a second."""
    for rule in rules.ids():
        rules.get(rule)
    asyncio.run(_converse())


async def _converse() -> None:
    session = Session({})
    session.protocol.set_writer(_Nobody())
    document = {"uri": _URI}
    position = {"line": 1, "character": 35}
    everything = {"start": {"line": 0, "character": 0}, "end": {"line": 4, "character": 0}}
    messages: list[tuple[str, Any, int | None]] = [
        ("initialize", {"processId": None, "rootUri": None, "capabilities": _CAPABILITIES}, 1),
        ("initialized", {}, None),
        (
            "textDocument/didOpen",
            {"textDocument": {**document, "languageId": "jsonc", "version": 1, "text": _TEXT}},
            None,
        ),
        (
            "textDocument/didChange",
            {"textDocument": {**document, "version": 2}, "contentChanges": [{"text": _TEXT}]},
            None,
        ),
        ("textDocument/hover", {"textDocument": document, "position": position}, 2),
        (
            "textDocument/codeAction",
            {"textDocument": document, "range": everything, "context": {"diagnostics": []}},
            3,
        ),
        ("textDocument/completion", {"textDocument": document, "position": position}, 4),
        ("textDocument/codeLens", {"textDocument": document}, 5),
        ("textDocument/documentLink", {"textDocument": document}, 6),
        ("textDocument/didClose", {"textDocument": document}, None),
        ("shutdown", None, 7),
    ]
    for method, params, number in messages:
        message = {"jsonrpc": "2.0", "method": method, "params": params}
        if number is not None:
            message["id"] = number
        session.protocol.receive(json.dumps(message).encode())
        await asyncio.sleep(0.01)
    session.context.close()
    session.protocol.end()
