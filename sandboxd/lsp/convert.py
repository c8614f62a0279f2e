"""Converts findings to the protocol's types. Columns are in the encoding that the client negotiated."""

from __future__ import annotations

import os
from functools import cache
from typing import NamedTuple
from urllib.parse import quote

from lsprotocol import types

from sandboxd.data import data_path
from sandboxd.findings import Finding, Fix, Place, Related, Report, Severity
from sandboxd.markup import in_message
from sandboxd.text import Encoding, SourceText, Span

SOURCE = "sandboxd"

_SEVERITY = {
    Severity.ERROR: types.DiagnosticSeverity.Error,
    Severity.WARNING: types.DiagnosticSeverity.Warning,
    # Editors keep these out of their list of problems, which is where hygiene belongs.
    Severity.HINT: types.DiagnosticSeverity.Hint,
}


class Client(NamedTuple):
    """The capabilities of a client that decide how findings are written."""

    encoding: Encoding = "utf-16"
    related: bool = False
    links: bool = False
    versioned_edits: bool = False


def client(capabilities: types.ClientCapabilities, encoding: Encoding) -> Client:
    """The capabilities that matter here."""
    text = capabilities.text_document
    publish = text.publish_diagnostics if text is not None else None
    workspace = capabilities.workspace
    edits = workspace.workspace_edit if workspace is not None else None
    return Client(
        encoding,
        bool(publish is not None and publish.related_information),
        bool(publish is not None and publish.code_description_support),
        bool(edits is not None and edits.document_changes),
    )


def diagnostic(
    finding: Finding, uri: str, source: SourceText, report: Report, who: Client
) -> types.Diagnostic:
    """One finding of the document `uri`."""
    message = finding.message
    if finding.related and not who.related:
        message += "".join(f"\n{_in_words(related, report)}" for related in finding.related)
    return types.Diagnostic(
        range=text_range(finding.place.span, source, who.encoding),
        message=in_message(message),
        severity=_SEVERITY[finding.severity],
        code=finding.rule,
        code_description=rule_page(finding.rule) if who.links else None,
        source=SOURCE,
        related_information=_related_information(finding, uri, source, report, who)
        if who.related
        else None,
        data={
            "rule": finding.rule,
            "evidence": finding.evidence,
            "fixes": [{"title": item.title, "safe": item.safe} for item in finding.remedies],
        },
    )


def text_range(span: Span, source: SourceText, encoding: Encoding) -> types.Range:
    """`span` as lines and columns."""
    start, end = source.position(span.start, encoding), source.position(span.end, encoding)
    return types.Range(
        types.Position(start.line, start.column), types.Position(end.line, end.column)
    )


def workspace_edit(
    fix: Fix, uri: str, version: int, source: SourceText, who: Client
) -> types.WorkspaceEdit:
    """`fix` as an edit; bound to `version` of the document where the client supports that."""
    edits = [
        types.TextEdit(text_range(edit.span, source, who.encoding), edit.text) for edit in fix.edits
    ]
    if not who.versioned_edits:
        return types.WorkspaceEdit(changes={uri: edits})
    document = types.OptionalVersionedTextDocumentIdentifier(uri=uri, version=version)
    return types.WorkspaceEdit(
        document_changes=[types.TextDocumentEdit(text_document=document, edits=list(edits))]
    )


def file_uri(path: str) -> str:
    return "file://" + quote(os.path.abspath(path))


def _related_information(
    finding: Finding, uri: str, source: SourceText, report: Report, who: Client
) -> list[types.DiagnosticRelatedInformation]:
    information = []
    for related in finding.related:
        path = related.place.path
        text = source if path == source.path else report.sources.get(path)
        where = uri if path == source.path else file_uri(path)
        start = types.Position(0, 0)
        place = types.Range(start, start)
        if text is not None:
            place = text_range(related.place.span, text, who.encoding)
        information.append(
            types.DiagnosticRelatedInformation(
                types.Location(where, place), in_message(related.message)
            )
        )
    return information


def _in_words(related: Related, report: Report) -> str:
    """A related place as part of the message, for clients that do not show such places."""
    return f"{_spot(related.place, report)}: {related.message}"


def _spot(place: Place, report: Report) -> str:
    source = report.sources.get(place.path)
    name = os.path.basename(place.path)
    return name if source is None else f"{name}:{source.position(place.span.start).line + 1}"


@cache
def rule_page(rule: str) -> types.CodeDescription | None:
    """The URI of the rule's page in the checkout; None without one."""
    page = data_path("docs", "rules", f"{rule}.md")
    return types.CodeDescription(file_uri(page)) if os.path.exists(page) else None
