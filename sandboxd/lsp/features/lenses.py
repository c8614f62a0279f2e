"""Code lenses above a config: the number of weak settings, what is in force, and commands."""

from __future__ import annotations

import os

from lsprotocol import types

from sandboxd.files import CONFIG_NAME
from sandboxd.findings import Severity
from sandboxd.lsp import convert, names_page, plans
from sandboxd.lsp.context import Context
from sandboxd.lsp.judgements import Judged
from sandboxd.markup import in_label
from sandboxd.status import lost_pins

_NAMES = (CONFIG_NAME, "devcontainer.json", ".devcontainer.json")


def register(context: Context) -> None:
    lenses = Lenses(context)
    context.refreshers.append(lenses.refresh)
    context.names_listeners.append(lenses.refresh)
    context.feature(types.TEXT_DOCUMENT_CODE_LENS, lenses.lenses)


class Lenses:
    """Answers `textDocument/codeLens`."""

    def __init__(self, context: Context) -> None:
        self._context = context

    def lenses(self, params: types.CodeLensParams) -> list[types.CodeLens]:
        uri = params.text_document.uri
        judged = self._context.judgements.current(uri)
        if judged is None:
            return []
        weak = sum(f.severity >= Severity.WARNING for f in judged.findings())
        # Without a command: a line to read.
        path = judged.document.source.path
        workspace = plans.workspace_of(path)
        texts = [(text, "") for text in self._lost(workspace)]
        texts += [(f"{weak} weak setting{'' if weak == 1 else 's'}" if weak else "", "")]
        if workspace is not None and os.path.basename(path) in _NAMES:
            texts += [("up", "sandboxd.up"), ("verify", "sandboxd.verify")]
            texts.append((self._in_force(workspace), ""))
        start = types.Position(0, 0)
        lenses = [
            types.CodeLens(
                types.Range(start, start),
                types.Command(in_label(title), command, arguments=[uri] if command else None),
            )
            for title, command in texts
            if title
        ]
        return lenses + self._names(judged, workspace)

    def _names(self, judged: Judged, workspace: str | None) -> list[types.CodeLens]:
        """The lens above `[network]`: what was denied, and the way to answer."""
        table = names_page.table(judged.document)
        status = self._context.surroundings.status(workspace) if workspace is not None else None
        names = status.names if status is not None else None
        if table is None or names is None or not names.is_recorded:
            return []
        parts = [f"{len(names.questions)} asked"] if names.questions else []
        parts.append(f"{names.totals.denied} denied")
        document = judged.document
        encoding = self._context.judgements.client().encoding
        place = convert.text_range(table, document.source, encoding)
        command = types.Command(
            f"{', '.join(parts)}: show", "sandboxd.names", arguments=[document.uri]
        )
        return [types.CodeLens(types.Range(place.start, place.start), command)]

    def refresh(self) -> None:
        workspace = self._context.capabilities().workspace
        if workspace is not None and workspace.code_lens and workspace.code_lens.refresh_support:
            self._context.server.workspace_code_lens_refresh(None)

    def _lost(self, workspace: str | None) -> list[str]:
        """Pins that the host took away, as they are at this moment."""
        status = self._context.surroundings.status(workspace) if workspace is not None else None
        return lost_pins.texts_of(status) if status is not None else []

    def _in_force(self, workspace: str) -> str:
        """A line about the running sandbox, with observed facts only."""
        status = self._context.surroundings.status(workspace)
        if status is None:
            return ""
        if status.in_force is None:
            return str(status.state)
        settings = status.in_force.settings
        parts = [settings.get("runtime", ""), status.profile or ""]
        drift = f", {len(status.drift)} differences from the plan" if status.drift else ""
        return f"in force: {', '.join(part for part in parts if part)}{drift}"
