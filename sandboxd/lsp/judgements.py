"""The judgement of each open document, shared by all features: each version is checked once."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping
from typing import NamedTuple

from sandboxd.files import read_beside
from sandboxd.findings import Finding, Report
from sandboxd.host.facts import HostFacts
from sandboxd.lint.analysis import Fixes
from sandboxd.lint.linter import Linter
from sandboxd.lsp import convert
from sandboxd.lsp.documents import OpenDocument, uri_path
from sandboxd.lsp.protocol import TolerantServer
from sandboxd.model.files import Files, ParsedTexts
from sandboxd.text import SourceText

Load = Callable[[str, str], SourceText]


class Outcome(NamedTuple):
    """A report, and the paths of other files on which it depends, including files that do not exist."""

    report: Report
    depends: frozenset[str]


class _RecordingFiles(Files):
    """Files that remember the paths that were read."""

    def __init__(
        self, texts: Mapping[str, SourceText], load: Load | None, parsed_texts: ParsedTexts | None
    ) -> None:
        super().__init__(texts, load, parsed_texts)
        self.paths: set[str] = set()

    def read(self, path: str, beside: str) -> SourceText:
        self.paths.add(path)
        return super().read(path, beside)


def judge(
    document: OpenDocument,
    environ: Mapping[str, str],
    host: HostFacts,
    *,
    verify: bool,
    texts: Mapping[str, SourceText],
) -> Outcome:
    """The report on one text.

    :param verify: whether to try its fixes, which takes many times as long
    :param texts: all open texts by path, which replace the files on disk
    """
    source = document.source
    # Files beside a text of another machine, or beside one that was never saved, are not on this disk.
    load = read_beside if document.on_disk() else None
    files = _RecordingFiles(texts, load, document.parsed_texts)
    linter = linter_for(document, environ, host, files)
    report = linter.check(
        source,
        kind=document.kind,
        parsed=document.parsed,
        fixes=Fixes.VERIFIED if verify else Fixes.NONE,
    )
    problem = linter.problem(source.path)
    if problem is not None and problem.path != source.path:
        report = report._replace(skipped=(*report.skipped, problem))
    return Outcome(report, frozenset(files.paths - {source.path}))


def linter_for(
    document: OpenDocument, environ: Mapping[str, str], host: HostFacts, files: Files
) -> Linter:
    """The linter for a document. For a document of another machine only open texts are read."""
    return Linter(environ, host, files, is_here=document.on_disk())


LARGE = 64 * 1024
"""The size in code points above which a text is checked in a thread, as it would delay other messages."""


class Judged(NamedTuple):
    """A version of a document with its report."""

    document: OpenDocument
    report: Report
    depends: frozenset[str] = frozenset()
    """Other files on which the report depends."""

    def findings(self) -> list[Finding]:
        """The findings in this file itself that are not suppressed."""
        path = self.document.source.path
        return [f for f in self.report.findings if f.suppressed is None and f.place.path == path]


class Judgements:
    """The judgements of one client's documents."""

    def __init__(self, server: TolerantServer, environ: Mapping[str, str], host: HostFacts) -> None:
        self._server = server
        self._environ = environ
        self._host = self._with_home(host)
        self._judged: dict[str, Judged] = {}
        self._verified: dict[str, tuple[OpenDocument, asyncio.Task[Judged]]] = {}

    @property
    def host(self) -> HostFacts:
        return self._host

    @property
    def parsed_texts(self) -> ParsedTexts:
        """The cache of parsed texts, of open documents and of files that they name."""
        return self._server.protocol.documents.parsed_texts

    def set_host(self, host: HostFacts) -> bool:
        """Set the host's facts and drop all judgements; return False if the facts are the same."""
        host = self._with_home(host)
        if host == self._host:
            return False
        self._host = host
        self.forget_all()
        return True

    def _with_home(self, host: HostFacts) -> HostFacts:
        """`host` with the home of the editor's environment, which is known before the host is probed."""
        return host._replace(home=self._environ.get("HOME", host.home))

    def forget_all(self) -> None:
        """Drop all judgements, because something other than the texts changed."""
        self._judged.clear()
        self._verified.clear()

    def open_paths(self) -> dict[str, str]:
        """The URIs of the open documents by path."""
        return {uri_path(uri): uri for uri in self._server.protocol.documents.uris()}

    def last(self, uri: str) -> Judged | None:
        """The last judgement of a document, which may be of an older version."""
        return self._judged.get(uri)

    def linter(self, document: OpenDocument) -> Linter:
        """The linter for a text, with its settings, environment, and files as they are open or on disk."""
        load = read_beside if document.on_disk() else None
        files = Files(self._texts(), load, self.parsed_texts)
        return linter_for(document, self._environ, self._host, files)

    def read(self, path: str, beside: str) -> SourceText:
        """The text of a file as it is open, or else on disk.

        :raises UnreadableError: as `files.read_beside`
        """
        return Files(self._texts(), read_beside).read(path, beside)

    def document(self, uri: str) -> OpenDocument | None:
        """The document if it is open and of a kind that is checked; else None."""
        document = self._server.protocol.documents.get(uri)
        return document if document is not None and document.kind else None

    def current(self, uri: str) -> Judged | None:
        """The judgement of the present text; None for a file that is not checked."""
        document = self.document(uri)
        if document is None:
            return None
        judged = self._judged.get(uri)
        if judged is None or judged.document is not document:
            judged = self.judge(document)
            self._judged[uri] = judged
        return judged

    async def verify(self, uri: str) -> Judged | None:
        """The judgement with verified fixes, which are the only ones to be offered; None for a file that is not
        checked.

        It runs in a thread, so that trying the fixes of one editor's large file does not delay the others.
        """
        document = self.document(uri)
        if document is None:
            return None
        entry = self._verified.get(uri)
        if entry is None or entry[0] is not document:
            task = asyncio.create_task(asyncio.to_thread(self.judge, document, True))
            entry = self._verified[uri] = (document, task)
        # Shielded: a request that is cancelled must not cancel the task of the others.
        return await asyncio.shield(entry[1])

    async def fresh(self, document: OpenDocument) -> Judged:
        """The judgement of an open document, made in a thread if the text is large."""
        if len(document.source.text) > LARGE:
            judged = await asyncio.to_thread(self.judge, document)
            self.keep(judged)
            return judged
        return self.current(document.uri) or self.judge(document)

    def judge(self, document: OpenDocument, verify: bool = False) -> Judged:
        """Check a document without keeping the result; may run in a thread."""
        outcome = judge(document, self._environ, self._host, verify=verify, texts=self._texts())
        return Judged(document, *outcome)

    def _texts(self) -> dict[str, SourceText]:
        documents = self._server.protocol.documents
        opened = map(documents.get, documents.uris())
        return {document.source.path: document.source for document in opened if document}

    def keep(self, judged: Judged) -> bool:
        """Keep a judgement that was made in a thread; return False if the text has changed since."""
        uri = judged.document.uri
        if self._server.protocol.documents.get(uri) is not judged.document:
            return False
        self._judged[uri] = judged
        return True

    def forget(self, uri: str) -> None:
        self._judged.pop(uri, None)
        self._verified.pop(uri, None)

    def client(self) -> convert.Client:
        """The client's capabilities that decide how findings are written."""
        return convert.client(
            self._server.client_capabilities, self._server.protocol.agreed_encoding()
        )
