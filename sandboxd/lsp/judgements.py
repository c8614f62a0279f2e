"""What was found in each open document, kept for all features: each version is judged once."""

from __future__ import annotations

from collections.abc import Mapping
from typing import NamedTuple

from sandboxd.findings import Finding, Report
from sandboxd.host.facts import HostFacts
from sandboxd.lsp import convert
from sandboxd.lsp.documents import OpenDocument
from sandboxd.lsp.judge import is_ours, judge
from sandboxd.lsp.protocol import TolerantServer


class Judged(NamedTuple):
    """A version of a document and what was found in it."""

    document: OpenDocument
    report: Report

    def findings(self) -> list[Finding]:
        """The findings of this very file that nobody has accepted."""
        path = self.document.source.path
        return [f for f in self.report.findings if f.suppressed is None and f.place.path == path]


class Judgements:
    """The judgements of one client's documents."""

    def __init__(self, server: TolerantServer, environ: Mapping[str, str], host: HostFacts) -> None:
        self._server = server
        self._environ = environ
        self._host = host
        self._judged: dict[str, Judged] = {}
        self._verified: dict[str, Judged] = {}

    def set_host(self, host: HostFacts) -> None:
        """Another host: whatever was judged is out of date."""
        self._host = host
        self._judged.clear()
        self._verified.clear()

    def document(self, uri: str) -> OpenDocument | None:
        """The document when it is open and of a kind that we check."""
        document = self._server.protocol.documents.get(uri)
        return document if document is not None and is_ours(document.source.path) else None

    def current(self, uri: str) -> Judged | None:
        """The judgement of the text as it is now; None for files that are none of ours."""
        document = self.document(uri)
        if document is None:
            return None
        judged = self._judged.get(uri)
        if judged is None or judged.document is not document:
            judged = self.judge(document)
            self._judged[uri] = judged
        return judged

    def verified(self, uri: str) -> Judged | None:
        """The same with fixes that were tried: only these may be offered."""
        document = self.document(uri)
        if document is None:
            return None
        judged = self._verified.get(uri)
        if judged is None or judged.document is not document:
            judged = self.judge(document, verify=True)
            self._verified[uri] = judged
        return judged

    def judge(self, document: OpenDocument, verify: bool = False) -> Judged:
        """Judge without keeping the result; may run in a thread."""
        documents = self._server.protocol.documents
        texts = {
            open_.source.path: open_.source
            for open_ in map(documents.get, documents.uris())
            if open_ is not None
        }
        report = judge(document.source, self._environ, self._host, verify=verify, texts=texts)
        return Judged(document, report)

    def keep(self, judged: Judged) -> bool:
        """Keep a judgement made in a thread; False when the text has changed since."""
        uri = judged.document.uri
        if self._server.protocol.documents.get(uri) is not judged.document:
            return False
        self._judged[uri] = judged
        return True

    def forget(self, uri: str) -> None:
        self._judged.pop(uri, None)
        self._verified.pop(uri, None)

    def client(self) -> convert.Client:
        """How this client wants things written."""
        return convert.client(
            self._server.client_capabilities, self._server.protocol.agreed_encoding()
        )
