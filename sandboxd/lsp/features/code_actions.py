"""Code actions: fix one finding, or all; harden the whole file; accept a finding; use gVisor.

Every edit is made for exactly one version of the text. Slow ones are only listed at first, and made when the
client resolves them."""

from __future__ import annotations

import asyncio
from typing import Any

from lsprotocol import types
from pygls.exceptions import JsonRpcInvalidParams

from sandboxd import formats
from sandboxd.findings import PLACEHOLDER, Finding, Fix, Severity
from sandboxd.lsp import convert, gvisor
from sandboxd.lsp.context import Context
from sandboxd.lsp.documents import OpenDocument
from sandboxd.lsp.judgements import Judged
from sandboxd.text import Edit, Span

FIX_ALL = "source.fixAll.sandboxd"
_QUICK, _REWRITE = "quickfix", "refactor.rewrite"


def register(context: Context) -> None:
    actions = CodeActions(context)
    actions_of: list[types.CodeActionKind | str] = [
        types.CodeActionKind.QuickFix,
        FIX_ALL,
        _REWRITE,
    ]
    options = types.CodeActionOptions(code_action_kinds=actions_of, resolve_provider=True)
    context.feature(types.TEXT_DOCUMENT_CODE_ACTION, actions.code_actions, options)
    context.feature(types.CODE_ACTION_RESOLVE, actions.resolve)


class CodeActions:
    """Answers `textDocument/codeAction` and `codeAction/resolve`."""

    def __init__(self, context: Context) -> None:
        self._context = context
        self._judgements = context.judgements

    async def code_actions(self, params: types.CodeActionParams) -> list[types.CodeAction]:
        """Fixes of the findings that the range touches, safe ones first; then actions for the whole file."""
        uri, only = params.text_document.uri, params.context.only
        if self._judgements.document(uri) is None:
            return []
        actions: list[types.CodeAction] = []
        if _wants(only, _QUICK):
            judged = await self._judgements.verify(uri)
            if judged is not None:
                here = [f for f in judged.findings() if self._touches(f, judged, params.range)]
                fixes = [action for finding in here for action in self._fixes(finding, judged)]
                actions += sorted(fixes, key=lambda action: not action.is_preferred)
                actions += [a for f in here if (a := self._accept(f, judged)) is not None]
        current = self._judgements.current(uri)
        if current is not None and any(f.remedies for f in current.findings()):
            if _wants(only, FIX_ALL):
                actions.append(await self._action("Fix all that is safe", FIX_ALL, current, False))
            if _wants(only, _REWRITE):
                title = "Harden this file (also what may need a change of habits)"
                actions.append(await self._action(title, _REWRITE, current, True))
        if current is not None and _wants(only, _REWRITE):
            actions += self._gvisor(current.document, params.range)
        return actions

    def _gvisor(self, document: OpenDocument, selection: types.Range) -> list[types.CodeAction]:
        """Actions that use gVisor, where this host has it; no finding proposes that."""
        judgements = self._judgements
        start, end = (self._context.offset(document, at) for at in (selection.start, selection.end))
        fixes = gvisor.offers(
            document,
            judgements.host,
            judgements.linter(document).variables,
            Span(start, max(start, end)),
        )
        return [
            types.CodeAction(
                title=fix.title,
                kind=_REWRITE,
                edit=convert.workspace_edit(
                    fix, document.uri, document.version, document.source, judgements.client()
                ),
            )
            for fix in fixes
        ]

    async def resolve(self, action: types.CodeAction) -> types.CodeAction:
        """The action with its edit, which was left out when it was listed.

        :raises JsonRpcInvalidParams: the text has changed since
        """
        data: Any = action.data
        if action.edit is not None or not isinstance(data, dict):
            return action
        document = self._judgements.document(str(data.get("uri")))
        if document is None or document.version != data.get("version"):
            raise JsonRpcInvalidParams("the text has changed since the action was offered")
        action.edit = await self._everything(document, data.get("unsafe") is True)
        return action

    async def _action(
        self, title: str, kind: str, judged: Judged, unsafe: bool
    ) -> types.CodeAction:
        document = judged.document
        action = types.CodeAction(title=title, kind=kind)
        if self._resolves():
            action.data = {"uri": document.uri, "version": document.version, "unsafe": unsafe}
        else:
            action.edit = await self._everything(document, unsafe)
        return action

    async def _everything(self, document: OpenDocument, unsafe: bool) -> types.WorkspaceEdit:
        """One edit that applies all fixes of the document."""
        source, judgements = document.source, self._judgements
        linter = judgements.linter(document)

        def fix() -> str:
            fixed = linter.fix(
                source,
                unsafe=unsafe,
                threshold=Severity.HINT if unsafe else Severity.WARNING,
                kind=document.kind,
                parsed=document.parsed,
            )
            return fixed.source.text

        after = await asyncio.to_thread(fix)
        edits = (_difference(source.text, after),) if after != source.text else ()
        whole = Fix("", True, source.path, edits)
        return convert.workspace_edit(
            whole, document.uri, document.version, source, judgements.client()
        )

    def _touches(self, finding: Finding, judged: Judged, selection: types.Range) -> bool:
        encoding = self._judgements.client().encoding
        there = convert.text_range(finding.place.span, judged.document.source, encoding)
        return there.start <= selection.end and selection.start <= there.end

    def _fixes(self, finding: Finding, judged: Judged) -> list[types.CodeAction]:
        document = judged.document
        return [
            types.CodeAction(
                title=f"{fix.title} ({fix.caution})" if fix.caution else fix.title,
                kind=types.CodeActionKind.QuickFix,
                diagnostics=[self._diagnostic(finding, judged)],
                is_preferred=fix.safe,
                edit=convert.workspace_edit(
                    fix,
                    document.uri,
                    document.version,
                    document.source,
                    self._judgements.client(),
                ),
            )
            for fix in finding.fixes
            if fix.path == document.source.path
        ]

    def _accept(self, finding: Finding, judged: Judged) -> types.CodeAction | None:
        """An action that adds a comment which accepts the finding; the user fills in the reason."""
        document = judged.document
        mark = formats.get(document.kind).COMMENT
        if not mark:
            return None
        if finding.rule in self._judgements.linter(document).enforced():
            return None
        source = document.source
        line = source.position(finding.place.span.start).line
        text = source.line_text(line)
        indent = text[: len(text) - len(text.lstrip())]
        start = source.line_starts()[line]
        allow = f"{mark} sandboxd: allow {finding.rule} -- {PLACEHOLDER}"
        comment = f"{indent}{allow}{source.line_end()}"
        edit = Fix("", False, source.path, (Edit(Span(start, start), comment),))
        return types.CodeAction(
            title=f"Accept `{finding.rule}` here with a reason",
            kind=types.CodeActionKind.QuickFix,
            diagnostics=[self._diagnostic(finding, judged)],
            is_preferred=False,
            edit=convert.workspace_edit(
                edit, document.uri, document.version, source, self._judgements.client()
            ),
        )

    def _diagnostic(self, finding: Finding, judged: Judged) -> types.Diagnostic:
        document = judged.document
        who = self._judgements.client()
        return convert.diagnostic(finding, document.uri, document.source, judged.report, who)

    def _resolves(self) -> bool:
        """Whether the client asks for an action's edit when it is chosen."""
        text = self._context.capabilities().text_document
        actions = text.code_action if text is not None else None
        support = actions.resolve_support if actions is not None else None
        return bool(support and "edit" in support.properties and actions and actions.data_support)


def _difference(before: str, after: str) -> Edit:
    """One edit for the text between the common start and the common end."""
    size = min(len(before), len(after))
    start = 0
    while start < size and before[start] == after[start]:
        start += 1
    end = 0
    while end < size - start and before[-1 - end] == after[-1 - end]:
        end += 1
    return Edit(Span(start, len(before) - end), after[start : len(after) - end])


def _wants(only: object, kind: str) -> bool:
    """Whether the client asked for actions of this kind; kinds are prefixes, none means all.

    Actions that rewrite the whole file are offered in menus and on request, not on every save.
    """
    if not isinstance(only, list | tuple):
        return True
    names = [str(getattr(item, "value", item)) for item in only]
    return any(name == "" or kind == name or kind.startswith(name + ".") for name in names)
