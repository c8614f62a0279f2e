"""Quick fixes: the edits that a finding carries, on exactly the version they were made for."""

from __future__ import annotations

from lsprotocol import types

from sandboxd.findings import Finding
from sandboxd.lsp import convert
from sandboxd.lsp.judgements import Judged, Judgements


class CodeActions:
    """Answers `textDocument/codeAction`."""

    def __init__(self, judgements: Judgements) -> None:
        self._judgements = judgements

    def code_actions(self, params: types.CodeActionParams) -> list[types.CodeAction]:
        """The fixes of all findings that the range touches; safe ones first."""
        if not _wants_fixes(params.context.only):
            return []
        judged = self._judgements.verified(params.text_document.uri)
        if judged is None:
            return []
        actions = [
            action
            for finding in judged.findings()
            if self._touches(finding, judged, params.range)
            for action in self._fixes(finding, judged)
        ]
        return sorted(actions, key=lambda action: not action.is_preferred)

    def _touches(self, finding: Finding, judged: Judged, wanted: types.Range) -> bool:
        encoding = self._judgements.client().encoding
        there = convert.text_range(finding.place.span, judged.document.source, encoding)
        return there.start <= wanted.end and wanted.start <= there.end

    def _fixes(self, finding: Finding, judged: Judged) -> list[types.CodeAction]:
        document = judged.document
        who = self._judgements.client()
        shown = convert.diagnostic(finding, document.uri, document.source, judged.report, who)
        return [
            types.CodeAction(
                title=f"{fix.title} ({fix.caution})" if fix.caution else fix.title,
                kind=types.CodeActionKind.QuickFix,
                diagnostics=[shown],
                is_preferred=fix.safe,
                edit=convert.workspace_edit(
                    fix, document.uri, document.version, document.source, who
                ),
            )
            for fix in finding.fixes
            if fix.path == document.source.path
        ]


def _wants_fixes(only: object) -> bool:
    """Whether the client asked for quick fixes; kinds are prefixes, none means all."""
    if not isinstance(only, list | tuple):
        return True
    return any(str(getattr(kind, "value", kind)) in ("", "quickfix") for kind in only)
