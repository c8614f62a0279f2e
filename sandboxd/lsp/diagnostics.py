"""The diagnostics for a judged document: its findings, and what could not be checked."""

from __future__ import annotations

import logging
import os

from lsprotocol import types

from sandboxd.files import CONFIG_NAME
from sandboxd.lsp import convert
from sandboxd.lsp.documents import OpenDocument
from sandboxd.lsp.judgements import Judged
from sandboxd.markup import in_message

log = logging.getLogger(__name__)


def diagnostics_of(judged: Judged, who: convert.Client) -> list[types.Diagnostic]:
    """The diagnostics of one document."""
    document = judged.document
    items = [
        convert.diagnostic(finding, document.uri, document.source, judged.report, who)
        for finding in judged.findings()
    ]
    # Other files that were not read are in the log and in `check`; failures, what was not read of this one, and
    # configs that are not applied must be visible in the editor.
    remarks = []
    for skipped in judged.report.skipped:
        if skipped.is_bug:
            remarks.append(f"not checked: {skipped.reason}")
        elif skipped.is_file and skipped.path == document.source.path:
            remarks.append(f"not checked: this file {skipped.reason}")
        elif os.path.basename(skipped.path) == CONFIG_NAME:
            remarks.append(f"`{skipped.path}` {skipped.reason}")
    return items + [_remark(text) for text in remarks]


def bug(document: OpenDocument, error: Exception) -> types.Diagnostic:
    """The diagnostic for an error in sandboxd that prevented the check, since an empty list would look clean."""
    log.exception("checking `%s` failed", document.source.path, exc_info=error)
    name = type(error).__name__
    return _remark(f"not checked, because of a bug in sandboxd: {name}: {error}")


def _remark(text: str) -> types.Diagnostic:
    """A diagnostic of the first line, for a message about the whole file."""
    start = types.Position(0, 0)
    return types.Diagnostic(
        types.Range(start, start),
        in_message(text),
        severity=types.DiagnosticSeverity.Information,
        source=convert.SOURCE,
    )
