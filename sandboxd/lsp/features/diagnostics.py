"""Pushes diagnostics, which every editor supports; `pull` answers requests for them.

The first change is checked at once, the rest of a burst every 60 ms. Each publication names the version that it is
about; a document that is closed loses its diagnostics. A text is checked again when a file that it names changes, in
the editor or on disk. If something fails on the way, that is published, too: otherwise the editor would go on showing
outdated diagnostics.
"""

from __future__ import annotations

import asyncio
import os

from lsprotocol import types

from sandboxd.files import CONFIG_NAME
from sandboxd.lsp.context import Context
from sandboxd.lsp.diagnostics import bug, diagnostics_of
from sandboxd.lsp.documents import OpenDocument, uri_path
from sandboxd.lsp.judgements import LARGE
from sandboxd.text import SourceText

BURST_SECONDS = 0.06


def register(context: Context) -> None:
    diagnostics = Diagnostics(context)
    context.refreshers.append(diagnostics.refresh)
    context.file_listeners.append(diagnostics.files_changed)
    context.feature(types.INITIALIZE, diagnostics.initialize)
    context.feature(types.TEXT_DOCUMENT_DID_OPEN, diagnostics.opened)
    context.feature(types.TEXT_DOCUMENT_DID_CHANGE, diagnostics.changed)
    context.feature(types.TEXT_DOCUMENT_DID_CLOSE, diagnostics.closed)


class Diagnostics:
    """Publishes the findings in the open documents."""

    def __init__(self, context: Context) -> None:
        self._context = context
        self._server = context.server
        self._judgements = context.judgements
        self._published_at: dict[str, float] = {}
        self._waiting: dict[str, asyncio.TimerHandle] = {}
        self._running: dict[str, asyncio.Task[None]] = {}

    def initialize(self, params: types.InitializeParams) -> None:
        """Prepare what the first answer needs."""
        options = params.initialization_options
        self._context.options = options if isinstance(options, dict) else {}
        self._server.protocol.set_trace_level(params.trace)
        self._announce_commands(params)
        for initializer in self._context.initializers:
            initializer(params)

    def _announce_commands(self, params: types.InitializeParams) -> None:
        """Announce the commands, except to VS Code, where our extension has commands of the same names."""
        name = params.client_info.name if params.client_info is not None else ""
        if self._context.options.get("commands") is False or "code" in name.lower():
            return
        self._server.protocol.fm.commands.update(self._server.protocol.commands)

    def opened(self, params: types.DidOpenTextDocumentParams) -> None:
        self._touched(params.text_document.uri)

    def changed(self, params: types.DidChangeTextDocumentParams) -> None:
        self._touched(params.text_document.uri)

    def _touched(self, uri: str) -> None:
        self._schedule(uri)
        document = self._server.protocol.documents.get(uri)
        if document is not None:
            self._others_changed({document.source.path})
            for listener in self._context.open_listeners:
                listener(document)

    def closed(self, params: types.DidCloseTextDocumentParams) -> None:
        uri = params.text_document.uri
        waiting = self._waiting.pop(uri, None)
        if waiting is not None:
            waiting.cancel()
        self._judgements.forget(uri)
        if self._published_at.pop(uri, None) is not None:
            self._server.protocol.publish(uri, [])
        # From now on what is on disk counts.
        self._others_changed({uri_path(uri)})
        for listener in self._context.open_listeners:
            listener(OpenDocument(uri, 0, SourceText(uri_path(uri), "")))

    def refresh(self) -> None:
        """Check all open documents again."""
        if self._context.pulls:
            self._server.workspace_diagnostic_refresh(None)
            return
        for uri in self._server.protocol.documents.uris():
            self._schedule(uri)

    def files_changed(self, paths: set[str]) -> None:
        """Handle changes of `paths` on disk; for files that are open, the editor's text is used."""
        self._others_changed(paths - self._judgements.open_paths().keys())

    def _others_changed(self, paths: set[str]) -> None:
        """Judge again the open documents that depend on one of `paths`, or whose sandboxd.toml is one."""
        again = False
        below = tuple(
            os.path.dirname(path).rstrip("/") + "/"
            for path in paths
            if os.path.basename(path) == CONFIG_NAME
        )
        for uri in self._server.protocol.documents.uris():
            judged = self._judgements.last(uri)
            if judged is not None and (
                not judged.depends.isdisjoint(paths)
                or judged.document.source.path.startswith(below)
            ):
                self._judgements.forget(uri)
                again = True
                if not self._context.pulls:
                    self._schedule(uri)
        if again and self._context.pulls:
            self._server.workspace_diagnostic_refresh(None)

    def _schedule(self, uri: str) -> None:
        if self._context.pulls:
            return
        if uri in self._waiting or self._judgements.document(uri) is None:
            return
        now = asyncio.get_running_loop().time()
        pause = self._published_at.get(uri, now - BURST_SECONDS) + BURST_SECONDS - now
        if pause <= 0 and uri not in self._running:
            self._publish(uri)
        else:
            self._waiting[uri] = self._context.later(
                max(pause, BURST_SECONDS / 10), lambda: self._publish_waiting(uri)
            )

    def _publish_waiting(self, uri: str) -> None:
        del self._waiting[uri]
        if uri in self._running:
            self._schedule(uri)
        else:
            self._publish(uri)

    def _publish(self, uri: str) -> None:
        document = self._judgements.document(uri)
        if document is None:
            return
        if len(document.source.text) > LARGE:
            task = self._context.spawn(self._publish_large(document))
            self._running[uri] = task
            task.add_done_callback(lambda _: self._running.pop(uri, None))
            return
        try:
            judged = self._judgements.current(uri)
            items = diagnostics_of(judged, self._judgements.client()) if judged is not None else []
        except Exception as error:
            items = [bug(document, error)]
        self._send(document, items)

    async def _publish_large(self, document: OpenDocument) -> None:
        try:
            judged = await asyncio.to_thread(self._judgements.judge, document)
            if not self._judgements.keep(judged):
                return
            items = diagnostics_of(judged, self._judgements.client())
        except Exception as error:
            if self._judgements.document(document.uri) is not document:
                return
            items = [bug(document, error)]
        self._send(document, items)

    def _send(self, document: OpenDocument, items: list[types.Diagnostic]) -> None:
        self._published_at[document.uri] = asyncio.get_running_loop().time()
        self._server.protocol.publish(document.uri, items, document.version)
