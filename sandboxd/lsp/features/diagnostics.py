"""Diagnostics, pushed: the one way that every editor has.

The first change is judged at once, the rest of a burst every 50 ms. Each publication names the
version that it judged; a document that is closed loses its diagnostics.
"""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import Mapping
from typing import NamedTuple, cast

from lsprotocol import types

from sandboxd.findings import Report
from sandboxd.host.facts import HostFacts
from sandboxd.lsp import convert
from sandboxd.lsp.documents import OpenDocument
from sandboxd.lsp.judge import is_ours, judge
from sandboxd.lsp.protocol import TolerantServer
from sandboxd.text import Encoding

BURST_SECONDS = 0.05

_LARGE = 64 * 1024
"""Code points above which a text is judged in a thread: it would hold up the other messages."""

log = logging.getLogger(__name__)


class Judged(NamedTuple):
    """A version of a document and what was found in it."""

    document: OpenDocument
    report: Report


class Diagnostics:
    """Judges what is open and keeps the judgement for the other features."""

    def __init__(self, server: TolerantServer, environ: Mapping[str, str], host: HostFacts) -> None:
        self._server = server
        self._environ = environ
        self._host = host
        self._judged: dict[str, Judged] = {}
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
        self._published_at.pop(uri, None)
        if self._judged.pop(uri, None) is not None:
            self._server.text_document_publish_diagnostics(
                types.PublishDiagnosticsParams(uri=uri, diagnostics=[])
            )

    def set_host(self, host: HostFacts) -> None:
        """Judge again what is open."""
        self._host = host
        for uri in self._server.protocol.documents.uris():
            self._schedule(uri)

    def close(self) -> None:
        for waiting in self._waiting.values():
            waiting.cancel()
        for task in self._running.values():
            task.cancel()

    def current(self, uri: str) -> Judged | None:
        """The judgement of the text as it is now; None for files that are none of ours."""
        document = self._server.protocol.documents.get(uri)
        if document is None or not is_ours(document.source.path):
            return None
        judged = self._judged.get(uri)
        if judged is None or judged.document is not document:
            judged = Judged(document, judge(document.source, self._environ, self._host))
            self._judged[uri] = judged
        return judged

    def client(self) -> convert.Client:
        encoding = cast("Encoding", str(self._server.workspace.position_encoding))
        return convert.client(self._server.client_capabilities, encoding)

    def _schedule(self, uri: str) -> None:
        document = self._server.protocol.documents.get(uri)
        if document is None or not is_ours(document.source.path) or uri in self._waiting:
            return
        since = time.monotonic() - self._published_at.get(uri, -BURST_SECONDS)
        if since >= BURST_SECONDS and uri not in self._running:
            self._publish(uri)
            return
        loop = asyncio.get_running_loop()
        wait = max(BURST_SECONDS - since, 0.001)
        self._waiting[uri] = loop.call_later(wait, self._publish_waiting, uri)

    def _publish_waiting(self, uri: str) -> None:
        self._waiting.pop(uri, None)
        if uri in self._running:
            self._schedule(uri)
        else:
            self._publish(uri)

    def _publish(self, uri: str) -> None:
        document = self._server.protocol.documents.get(uri)
        if document is None:
            return
        if len(document.source.text) > _LARGE:
            task = asyncio.create_task(self._publish_large(document))
            self._running[uri] = task
            task.add_done_callback(lambda _: self._running.pop(uri, None))
            return
        judged = self.current(uri)
        if judged is not None:
            self._send(judged)

    async def _publish_large(self, document: OpenDocument) -> None:
        report = await asyncio.to_thread(judge, document.source, self._environ, self._host)
        if self._server.protocol.documents.get(document.uri) is document:
            judged = Judged(document, report)
            self._judged[document.uri] = judged
            self._send(judged)

    def _send(self, judged: Judged) -> None:
        document, report = judged
        who = self.client()
        found = [
            convert.diagnostic(finding, document.uri, document.source, report, who)
            for finding in report.findings
            if finding.suppressed is None and finding.place.path == document.source.path
        ]
        self._published_at[document.uri] = time.monotonic()
        self._server.text_document_publish_diagnostics(
            types.PublishDiagnosticsParams(document.uri, found, document.version)
        )
