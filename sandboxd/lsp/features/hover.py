"""Hover: why the setting under the cursor is weak, and what to do instead; for other settings, the effective value.

In a file that sandboxd generated: whether profile, host or config decided the line, and why.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from lsprotocol import types

from sandboxd.findings import Finding, Place
from sandboxd.formats.resolved.container import containers
from sandboxd.lsp import convert, names_page, plans
from sandboxd.lsp.context import Context
from sandboxd.lsp.judgements import Judged
from sandboxd.markup import in_markdown
from sandboxd.model.container import Container
from sandboxd.syntax.node import readable


def register(context: Context) -> None:
    context.feature(types.TEXT_DOCUMENT_HOVER, Hover(context).hover)


class Hover:
    """Answers `textDocument/hover`."""

    def __init__(self, context: Context) -> None:
        self._context = context

    async def hover(self, params: types.HoverParams) -> types.Hover | None:
        judgements = self._context.judgements
        judged = judgements.current(params.text_document.uri)
        if judged is None:
            return None
        at = self._context.offset(judged.document, params.position)
        place, parts = _findings(judged, at)
        effective, values = self._effective(judged, at)
        place, parts = place or effective, [*parts, *values]
        reasons = await plans.reasons_at(self._context, judged.document, at)
        if reasons is not None:
            place = place or reasons.place
            parts += reasons.lines
        if (page := names_page.page_at(judged.document, at)) is not None:
            place = Place(judged.document.source.path, page[0])
            parts.insert(0, page[1])
        if place is None:
            return None
        source = judged.document.source
        return types.Hover(
            contents=types.MarkupContent(types.MarkupKind.Markdown, "\n\n---\n\n".join(parts)),
            range=convert.text_range(place.span, source, judgements.client().encoding),
        )

    def _effective(self, judged: Judged, at: int) -> tuple[Place | None, list[str]]:
        """The place of the setting at the offset `at`, and its value in the merged container, as Markdown."""
        source = judged.document.source
        variables = self._context.judgements.linter(judged.document).variables
        places: list[Place] = []
        lines: dict[str, None] = {}
        for container in containers(judged.document.parsed, variables):
            for field, value in _values(container):
                if _is_at(value, source.path, at):
                    places.append(value.place)
                    value_text = f"`{readable(value.written)}`" if value.written else "set"
                    sentence = (
                        f"`{field}` of the container: {value_text}, from {value.origin.describe()}"
                    )
                    lines[in_markdown(sentence)] = None
        return (places[0] if places else None), ["\n\n".join(lines)] if lines else []


def _values(container: Container) -> Iterator[tuple[str, Any]]:
    """Every located value of a container, with its field."""
    for field in container._fields:
        setting = getattr(container, field)
        for value in (
            setting if isinstance(setting, tuple) and not hasattr(setting, "place") else (setting,)
        ):
            if getattr(value, "place", None) is not None and hasattr(value, "origin"):
                yield field, value


def _is_at(value: Any, path: str, at: int) -> bool:
    """Whether a value, or the string that holds it, is at the offset `at`."""
    spans = [value.place.span, *(node.span for node in value.nodes)]
    return value.place.path == path and any(span.start <= at <= span.end for span in spans)


def _findings(judged: Judged, at: int) -> tuple[Place | None, list[str]]:
    """The place of the worst finding at the offset `at`, and each one as Markdown, the worst first."""
    here = [f for f in judged.findings() if f.place.span.start <= at <= f.place.span.end]
    here.sort(key=lambda finding: -finding.severity)
    return (here[0].place if here else None), list(dict.fromkeys(map(_finding, here)))


def _finding(finding: Finding) -> str:
    """A finding as Markdown: what it is, what it gives away, its origin, and the fix with its cost."""
    lines = [f"{finding.severity.label} **{finding.rule}**: {in_markdown(finding.message)}"]
    if finding.why:
        lines.append(f"Gives away: {in_markdown(finding.why)}")
    if finding.origin:
        lines.append(f"From: {in_markdown(finding.origin)}")
    for remedy in finding.remedies[:1]:
        price = f"; then {remedy.caution}" if remedy.caution and not remedy.safe else ""
        lines.append(f"Fix: {in_markdown(remedy.title + price)}")
    link = convert.rule_page(finding.rule)
    more = f"[More about it]({link.href})" if link else f"More: `sandboxd explain {finding.rule}`"
    return "\n\n".join([*lines, more])
