"""Answers requests for diagnostics, from clients that can be told to ask again.

The id of a report is a hash of its content: a client that has it already gets "unchanged". The first request for the
whole workspace is answered at once; later ones wait until something changed, so that clients do not poll.
"""

from __future__ import annotations

import asyncio
import json
from hashlib import blake2b

from lsprotocol import types

from sandboxd.lsp import convert, hot
from sandboxd.lsp.context import Context
from sandboxd.lsp.diagnostics import bug, diagnostics_of

Reports = list[
    types.WorkspaceFullDocumentDiagnosticReport | types.WorkspaceUnchangedDocumentDiagnosticReport
]


def register(context: Context) -> None:
    pull = Pull(context)
    context.initializers.append(pull.initialize)
    context.unopened_listeners.append(pull.looked_anew)


class Pull:
    """Answers `textDocument/diagnostic` and `workspace/diagnostic`."""

    def __init__(self, context: Context) -> None:
        self._context = context
        self._looked = asyncio.Event()

    def initialize(self, params: types.InitializeParams) -> None:
        """Offer pulling to clients that support refresh requests; others get pushed diagnostics."""
        text, workspace = params.capabilities.text_document, params.capabilities.workspace
        again = workspace.diagnostics if workspace is not None else None
        if text is None or text.diagnostic is None or not (again and again.refresh_support):
            return
        self._context.pulls = True
        options = types.DiagnosticOptions(
            inter_file_dependencies=True, workspace_diagnostics=True, identifier=convert.SOURCE
        )
        self._context.feature(types.TEXT_DOCUMENT_DIAGNOSTIC, self.document, options)
        self._context.feature(types.WORKSPACE_DIAGNOSTIC, self.workspace)

    def looked_anew(self) -> None:
        """Handle that files that are not open were checked again."""
        self._looked.set()

    async def document(
        self, params: types.DocumentDiagnosticParams
    ) -> types.RelatedFullDocumentDiagnosticReport | types.RelatedUnchangedDocumentDiagnosticReport:
        """The present diagnostics of one document."""
        judgements = self._context.judgements
        document = judgements.document(params.text_document.uri)
        items: list[types.Diagnostic] = []
        if document is not None:
            try:
                items = diagnostics_of(await judgements.fresh(document), judgements.client())
            except Exception as error:
                items = [bug(document, error)]
        number = result_id(items)
        if params.previous_result_id == number:
            return types.RelatedUnchangedDocumentDiagnosticReport(number)
        return types.RelatedFullDocumentDiagnosticReport(items, result_id=number)

    async def workspace(
        self, params: types.WorkspaceDiagnosticParams
    ) -> types.WorkspaceDiagnosticReport:
        """The diagnostics of files that are not open; for open documents, the client asks one by one."""
        before = {item.uri: item.value for item in params.previous_result_ids}
        first = not self._context.pulls_workspace
        if first:
            self._context.pulls_workspace = True
            # From now on they come by this way and no other; and roots count that have nothing open.
            for path in self._context.unopened:
                self._context.server.protocol.publish(convert.file_uri(path), [])
            self._looked.clear()
            self._context.refresh_unopened()
            await self._looked.wait()
        while not (items := self._reports(before)) and not first:
            self._looked.clear()
            await self._looked.wait()
        return types.WorkspaceDiagnosticReport(items)

    def _reports(self, before: dict[str, str]) -> Reports:
        """The reports that the client does not have yet, [] for none."""
        items: Reports = []
        opened = set(self._context.server.protocol.documents.uris())
        now = {
            convert.file_uri(path): diagnostics
            for path, diagnostics in self._context.unopened.items()
        }
        for uri, diagnostics in now.items():
            number = result_id(diagnostics)
            if uri not in opened and before.get(uri) != number:
                items.append(
                    types.WorkspaceFullDocumentDiagnosticReport(uri, diagnostics, result_id=number)
                )
        removed = before.keys() - now.keys() - opened
        empty = result_id([])
        items += [
            types.WorkspaceFullDocumentDiagnosticReport(uri, [], result_id=empty)
            for uri in sorted(removed)
            if before[uri] != empty
        ]
        if items:
            reported = {item.uri for item in items}
            items += [
                types.WorkspaceUnchangedDocumentDiagnosticReport(uri, number)
                for uri, number in before.items()
                if uri not in reported and uri not in removed
            ]
        return items


def result_id(items: list[types.Diagnostic]) -> str:
    """An id for a report's content; equal only for equal reports."""
    text = json.dumps([hot.diagnostic(item) for item in items])
    return blake2b(text.encode(), digest_size=12).hexdigest()
