"""The language server as real editors meet it: their capabilities, their column units."""

from __future__ import annotations

import asyncio
import sys
import weakref
from collections.abc import AsyncIterator

import pytest
import pytest_lsp
from lsprotocol import types
from pytest_lsp import ClientServerConfig, LanguageClient

# With a daemon of its own for each test, one that starts late would be left behind.
SERVER = [sys.executable, "-P", "-m", "sandboxd", "lsp", "--stdio", "--no-daemon"]
URI = "file:///nowhere/demo/.devcontainer/devcontainer.json"
HALF_EDITED = """{
  // \U0001f600 a comment
  "image": "debian",
  /* \U0001f600 */ "privileged": true,
  "runArgs": ["--pid=host",
"""

# What decides how findings are written; each offers its own unit for columns first.
UNITS = {"neovim@v0.11.0": "utf-8", "visual-studio-code": "utf-16", "emacs@29.1": "utf-32"}
COLUMNS = {"utf-8": 27, "utf-16": 25, "utf-32": 24}
_PUBLISHED = weakref.WeakKeyDictionary[
    LanguageClient, asyncio.Queue[types.PublishDiagnosticsParams]
]()


@pytest_lsp.fixture(
    config=ClientServerConfig(server_command=SERVER),
    params=sorted(UNITS),
)
async def client(request: pytest.FixtureRequest, lsp_client: LanguageClient) -> AsyncIterator[None]:
    capabilities = pytest_lsp.client_capabilities(request.param)
    _serve(lsp_client)
    _keep_published(lsp_client)
    result = await lsp_client.initialize_session(types.InitializeParams(capabilities=capabilities))
    assert result.capabilities.position_encoding == UNITS[request.param]
    yield
    await lsp_client.shutdown_session()
    assert lsp_client._server is not None
    assert lsp_client._server.returncode == 0


def _serve(client: LanguageClient) -> None:
    """Answer what the server asks a client: pytest-lsp's takes a question for a failure."""
    for method in ("client/registerCapability", "workspace/codeLens/refresh"):
        client.feature(method)(lambda _params: None)


def _keep_published(client: LanguageClient) -> None:
    """Keep all that is published: who only waits for the next misses one that comes right behind another."""
    kept = _PUBLISHED[client] = asyncio.Queue()

    def came(params: types.PublishDiagnosticsParams) -> None:
        kept.put_nowait(params)
        client.protocol.wait_for_notification(types.TEXT_DOCUMENT_PUBLISH_DIAGNOSTICS, came)

    client.protocol.wait_for_notification(types.TEXT_DOCUMENT_PUBLISH_DIAGNOSTICS, came)


def opened(client: LanguageClient, text: str, version: int = 1) -> None:
    item = types.TextDocumentItem(URI, "jsonc", version, text)
    client.text_document_did_open(types.DidOpenTextDocumentParams(item))


async def published(client: LanguageClient) -> types.PublishDiagnosticsParams:
    """What the server published next."""
    return await _PUBLISHED[client].get()


@pytest.mark.asyncio
async def test_a_half_edited_file_is_judged_at_the_right_columns(client: LanguageClient) -> None:
    opened(client, HALF_EDITED)
    params = await published(client)
    assert params.version == 1
    by_code = {diagnostic.code: diagnostic for diagnostic in params.diagnostics}
    assert {"privileged-container", "host-pid", "json-syntax-error"} <= set(by_code)
    weak = by_code["privileged-container"]
    assert weak.source == "sandboxd"
    assert weak.severity == types.DiagnosticSeverity.Error
    assert client.capabilities is not None
    unit = next(UNITS[name] for name in UNITS if _is(client, name))
    # The value `true`, after an emoji on its line: 4 bytes, 2 UTF-16 units, 1 code point.
    assert weak.range.start == types.Position(3, COLUMNS[unit])
    assert weak.range.end == types.Position(3, COLUMNS[unit] + 4)


@pytest.mark.asyncio
async def test_the_quick_fix_removes_the_finding(client: LanguageClient) -> None:
    text = '{\n  "image": "x", // \U0001f600\n  "privileged": true\n}\n'
    opened(client, text, 7)
    params = await published(client)
    weak = next(d for d in params.diagnostics if d.code == "privileged-container")
    context = types.CodeActionContext([weak])
    document = types.TextDocumentIdentifier(URI)
    actions = await client.text_document_code_action_async(
        types.CodeActionParams(document, weak.range, context)
    )
    assert actions
    action = actions[0]
    assert isinstance(action, types.CodeAction)
    assert action.kind == types.CodeActionKind.QuickFix
    assert action.edit is not None
    edits = _edits(action.edit, version=7)
    changed = _apply(text, edits)
    assert '"privileged"' not in changed
    assert "// \U0001f600" in changed
    client.text_document_did_change(
        types.DidChangeTextDocumentParams(
            types.VersionedTextDocumentIdentifier(8, URI),
            [types.TextDocumentContentChangeWholeDocument(changed)],
        )
    )
    # What is learnt of the host meanwhile has the version before published once more.
    while (params := await published(client)).version != 8:
        assert params.version == 7
    assert "privileged-container" not in {d.code for d in params.diagnostics}


@pytest.mark.asyncio
async def test_closing_clears(client: LanguageClient) -> None:
    opened(client, HALF_EDITED)
    assert (await published(client)).diagnostics
    client.text_document_did_close(
        types.DidCloseTextDocumentParams(types.TextDocumentIdentifier(URI))
    )
    # What was learnt of the host before the file was closed has it published once more.
    while (params := await published(client)).diagnostics:
        assert params.version == 1
    assert params.uri == URI
    # An answer comes behind all that was published before it.
    await client.text_document_hover_async(
        types.HoverParams(types.TextDocumentIdentifier(URI), types.Position(0, 0))
    )
    assert not client.diagnostics[URI]


@pytest.mark.asyncio
async def test_hover_explains_the_setting(client: LanguageClient) -> None:
    opened(client, '{\n  "image": "x",\n  "privileged": true\n}\n')
    await published(client)
    hover = await client.text_document_hover_async(
        types.HoverParams(types.TextDocumentIdentifier(URI), types.Position(2, 18))
    )
    assert hover is not None
    assert isinstance(hover.contents, types.MarkupContent)
    assert "privileged-container" in hover.contents.value


@pytest.mark.asyncio
async def test_related_places_are_told_one_way_or_the_other(client: LanguageClient) -> None:
    opened(
        client, '{\n  "image": "x",\n  "capAdd": ["SYS_PTRACE"],\n  "runArgs": ["--pid=host"]\n}\n'
    )
    params = await published(client)
    pid = next(d for d in params.diagnostics if d.code == "host-pid")
    text = client.capabilities.text_document if client.capabilities else None
    publish = text.publish_diagnostics if text else None
    if publish is not None and publish.related_information:
        assert pid.related_information
        assert pid.related_information[0].location.range.start.line == 2
    else:
        assert "devcontainer.json:3" in pid.message


def _is(client: LanguageClient, name: str) -> bool:
    return client.capabilities == pytest_lsp.client_capabilities(name)


def _edits(edit: types.WorkspaceEdit, version: int) -> list[types.TextEdit]:
    """The edits, which name the version that they were made for when the client can check it."""
    if edit.document_changes:
        (change,) = edit.document_changes
        assert isinstance(change, types.TextDocumentEdit)
        assert change.text_document.version == version
        return [e for e in change.edits if isinstance(e, types.TextEdit)]
    assert edit.changes is not None
    return list(edit.changes[URI])


def _apply(text: str, edits: list[types.TextEdit]) -> str:
    """For edits on ASCII lines, where all units are alike."""
    lines = text.split("\n")
    starts = [sum(len(line) + 1 for line in lines[:number]) for number in range(len(lines))]
    for edit in sorted(edits, key=lambda e: (e.range.start.line, e.range.start.character))[::-1]:
        first, last = edit.range.start, edit.range.end
        start = _offset(lines, starts, first)
        text = text[:start] + edit.new_text + text[_offset(lines, starts, last) :]
    return text


def _offset(lines: list[str], starts: list[int], position: types.Position) -> int:
    return starts[position.line] + min(position.character, len(lines[position.line]))
