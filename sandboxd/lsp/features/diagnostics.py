"""Diagnostics, pushed: the one way that every editor has.

The first change is judged at once, the rest of a burst every 60 ms. Each publication names the
version that it judged; a document that is closed loses its diagnostics.
"""

from __future__ import annotations

import asyncio
import logging

from lsprotocol import types

from sandboxd.host.facts import HostFacts
from sandboxd.lsp import convert
from sandboxd.lsp.documents import OpenDocument
from sandboxd.lsp.judgements import Judged, Judgements
from sandboxd.lsp.protocol import TolerantServer

BURST_SECONDS = 0.06

_LARGE = 64 * 1024
"""Code points above which a text is judged in a thread: it would hold up the other messages."""

log = logging.getLogger(__name__)


class Diagnostics:
    """Publishes what is found in the open documents."""

    def __init__(self, server: TolerantServer, judgements: Judgements) -> None:
        self._server = server
        self._judgements = judgements
        self._published_at: dict[str, float] = {}
        self._waiting: dict[str, asyncio.TimerHandle] = {}
        self._running: dict[str, asyncio.Task[None]] = {}

    def opened(self, params: types.DidOpenTextDocumentParams) -> None:
        self._schedule(params.text_document.uri)

    def changed(self, params: types.DidChangeTextDocumentParams) -> None:
        self._schedule(params.text_document.uri)

    def closed(self, params: types.DidCloseTextDocumentParams) -> None:
        uri = params.text_document.uri
        waiting = self._waiting.pop(uri, None)
        if waiting is not None:
            waiting.cancel()
        self._judgements.forget(uri)
        if self._published_at.pop(uri, None) is not None:
            nothing = types.PublishDiagnosticsParams(uri=uri, diagnostics=[])
            self._server.text_document_publish_diagnostics(nothing)

    def set_host(self, host: HostFacts) -> None:
        """Judge again what is open."""
        self._judgements.set_host(host)
        for uri in self._server.protocol.documents.uris():
            self._schedule(uri)

    def close(self) -> None:
        for waiting in self._waiting.values():
            waiting.cancel()
        for task in self._running.values():
            task.cancel()

    def _schedule(self, uri: str) -> None:
        if uri in self._waiting or self._judgements.document(uri) is None:
            return
        loop = asyncio.get_running_loop()
        due = self._published_at.get(uri, loop.time() - BURST_SECONDS) + BURST_SECONDS
        if due <= loop.time() and uri not in self._running:
            self._publish(uri)
        else:
            self._waiting[uri] = loop.call_at(
                max(due, loop.time() + BURST_SECONDS / 10), self._publish_waiting, uri
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
        if len(document.source.text) > _LARGE:
            task = asyncio.create_task(self._publish_large(document))
            self._running[uri] = task
            task.add_done_callback(lambda _: self._running.pop(uri, None))
            return
        try:
            judged = self._judgements.current(uri)
        except Exception as error:
            self._fail(document, error)
            return
        if judged is not None:
            self._send(judged)

    async def _publish_large(self, document: OpenDocument) -> None:
        try:
            judged = await asyncio.to_thread(self._judgements.judge, document)
        except Exception as error:
            self._fail(document, error)
            return
        if self._judgements.keep(judged):
            self._send(judged)

    def _fail(self, document: OpenDocument, error: Exception) -> None:
        """Say that the file was not checked: an empty list would say that all is well."""
        log.exception("checking `%s` failed", document.source.path, exc_info=error)
        start = types.Position(0, 0)
        said = types.Diagnostic(
            types.Range(start, start),
            f"not checked, because of a bug in sandboxd: {type(error).__name__}: {error}",
            severity=types.DiagnosticSeverity.Information,
            source=convert.SOURCE,
        )
        self._publish_all(document, [said])

    def _send(self, judged: Judged) -> None:
        document, report = judged
        who = self._judgements.client()
        found = [
            convert.diagnostic(finding, document.uri, document.source, report, who)
            for finding in judged.findings()
        ]
        self._publish_all(document, found)

    def _publish_all(self, document: OpenDocument, found: list[types.Diagnostic]) -> None:
        self._published_at[document.uri] = asyncio.get_running_loop().time()
        self._server.text_document_publish_diagnostics(
            types.PublishDiagnosticsParams(document.uri, found, document.version)
        )
