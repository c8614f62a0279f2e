"""Templates of a Helm chart: what stands in them in clear, whatever Helm puts in the place of the rest.

An action in a value becomes a hole of the same length, and so does what only some values bring (`if`, `range`,
`with`, `define`), unless it is whole objects: what is said of an object holds where it is made at all. With the
chart's defaults (`chart_values`), what they decide is no hole. Positions stay those of the file. Source: https://helm.sh/docs/chart_template_guide/control_structures/.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any, NamedTuple

from sandboxd.formats.kubernetes.chart_values import TOP, UNKNOWN, Scope
from sandboxd.model.values import Value
from sandboxd.text import Span

if TYPE_CHECKING:
    from collections.abc import Iterator

    from sandboxd.formats.kubernetes.chart_values import Defaults
    from sandboxd.model.container import Container
    from sandboxd.text import SourceText

HOLE = "$__"
"""The beginning of each hole: a name that nobody gives."""

_ACTION = re.compile(r"\{\{-?\s*+(\w*+)(?:[^{}\"`]|\"(?:[^\"\\\n]|\\.)*+\"|`[^`]*+`)*+\}\}")
_OPENING = ("if", "range", "with", "define", "block")
_OBJECT = re.compile(r"^(?:apiVersion|kind):", re.MULTILINE)
_LOOK_BACK = 400
"""Characters in which the key of an action is looked for: it may stand in the line before, behind blanks."""
_MOST = 5_000
"""Actions of one file that are read: a large template has some hundreds."""


class _Action(NamedTuple):
    word: str
    span: Span


class _Block:
    """An action that opens a block, the first `else` in it, whether its defaults let it in, and what `.` is in it."""

    def __init__(self, opening: _Action, is_in: bool | None, scope: Scope) -> None:
        self.opening = opening
        self.other: int | None = None
        self.is_in = is_in
        self.scope = scope


def clear(text: str, defaults: Defaults | None = None) -> str | None:
    """The text with holes in place of what Helm fills in; None where its actions cannot be told apart.

    :param defaults: the values of the chart: what they alone decide is written in place of the action
    """
    characters = list(text)
    opened: list[_Block] = []
    blanks: list[Span] = []
    for count, action in enumerate(_actions(text)):
        if action is None or count > _MOST:
            return None
        scope = opened[-1].scope if opened else TOP
        if action.word in _OPENING:
            opened.append(_block(text, action, scope, defaults))
            if opened[-1].is_in:
                _fill(characters, text, action.span)
        elif action.word == "else" and opened:
            block = opened[-1]
            block.other = action.span.start if block.other is None else block.other
            block.scope = opened[-2].scope if len(opened) > 1 else TOP
        elif action.word == "end" and opened:
            blanks += _unclear(text, opened.pop(), action.span)
        elif action.word in ("else", "end"):
            return None
        elif defaults is None or not _write(characters, text, action.span, defaults, scope):
            _fill(characters, text, action.span)
    for span in blanks:
        _fill(characters, text, span)
    return None if opened else "".join(characters)


def _block(text: str, action: _Action, scope: Scope, defaults: Defaults | None) -> _Block:
    start, end = action.span
    if defaults is None or action.word not in ("if", "with"):
        return _Block(action, None, scope if action.word == "if" else UNKNOWN)
    is_in, value = defaults.condition(text[start:end], scope)
    return _Block(action, is_in, scope if action.word == "if" else Scope(False, value))


def _write(characters: list[str], text: str, span: Span, defaults: Defaults, scope: Scope) -> bool:
    """Write a default in the place of an action that is a whole value; whether that was done."""
    start, end = span
    stop = text.find("\n", end)
    if text[end : stop if stop >= 0 else len(text)].strip():
        return False
    before = "".join(characters[max(0, start - _LOOK_BACK) : start]).rstrip()
    if not before.endswith((":", "\n-", " -")) and before != "-":
        return False
    written = defaults.written(text[start:end], scope)
    if written is None:
        return False
    characters[start:end] = written.ljust(end - start)
    return True


def _actions(text: str) -> Iterator[_Action | None]:
    """The actions of a template in their order; None for one that does not end."""
    at = text.find("{{")
    while at >= 0:
        start = at
        if text.startswith(("{{/*", "{{- /*"), start):
            close = text.find("*/", start)
            end = text.find("}}", close) if close >= 0 else -1
            yield _Action("", Span(start, end + 2)) if end >= 0 else None
        else:
            match = _ACTION.match(text, start)
            end = match.end() - 2 if match is not None else -1
            yield _Action(match[1], Span(*match.span())) if match is not None else None
        if end < 0:
            return
        at = text.find("{{", end + 2)


def _unclear(text: str, block: _Block, closing: Span) -> list[Span]:
    """The parts of a block that are not clear: all of it, or what stands around whole objects."""
    start, inside = block.opening.span
    stop = closing.start if block.other is None else block.other
    if block.is_in:
        return [Span(stop, closing.end)]
    if block.opening.word == "define" or not _OBJECT.search(text, inside, stop):
        return [Span(start, closing.end)]
    return [block.opening.span, Span(stop, closing.end)]


def _fill(characters: list[str], text: str, span: Span) -> None:
    """Put a hole in the place of an action in a value, and blanks where it has its lines for itself."""
    start, end = span
    stop = text.find("\n", end)
    before = text[text.rfind("\n", 0, start) + 1 : start]
    behind = text[end : stop if stop >= 0 else len(text)]
    part = text[start:end]
    if "\n" in part or not (before + behind).strip(" \t\r-\"'"):
        characters[start:end] = [char if char in "\r\n" else " " for char in part]
    else:
        characters[start:end] = HOLE.ljust(end - start, "_")


def with_actions(value: Value[str], source: SourceText) -> Value[str]:
    """A text with the actions in it as they are written, in place of their holes."""
    if value.place is None or HOLE not in value.value:
        return value
    start, end = value.place.span
    written = source.text[start:end]
    return Value(written, value.origin, value.place, written, value.nodes)


def without_holes(container: Container) -> Container:
    """A container with those settings alone that stand in clear."""
    fields: dict[str, Any] = {}
    for name, content in container._asdict().items():
        if isinstance(content, Value):
            fields[name] = None if _has_hole(content) else content
        elif type(content) is tuple and content and isinstance(content[0], Value):
            fields[name] = tuple(value for value in content if not _has_hole(value))
    return container._replace(**fields, partial=True)


def _has_hole(value: Value[object]) -> bool:
    return HOLE in value.written or HOLE in str(value.value)
