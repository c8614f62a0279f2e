"""Removes values from a TOML file by small changes of its text.

Every other byte stays. A statement is removed with the comment behind it, a table with all of its headers,
wherever they stand, and with the comments between its statements; one group of the blank lines around it
stays. For lists and inline tables see `_removal`."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from sandboxd.syntax._removal import Comments, comma_behind, merge, next_line, remove
from sandboxd.syntax._toml_places import headers, is_inline, rest_of_line, statements
from sandboxd.syntax.node import walk
from sandboxd.text import Edit, Span

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from sandboxd.syntax.node import Node, Tree

_COMMENTS = Comments(
    re.compile(r"(?:[ \t\r\n]++|#[^\r\n]*+)*+"), re.compile(r"[ \t]*+(?:#[^\r\n]*+)?")
)
_BLANK_LINES = re.compile(r"(?:[ \t]*+(?:\r?\n|\Z))*+")


def remove_values(text: str, tree: Tree, values: Iterable[Node]) -> tuple[Edit, ...]:
    """The edits that remove values, each with its key.

    A table that exists only because of dotted keys or headers of sub-tables is gone with the last of these.

    :raises NotInTreeError: a value is not a node of `tree`
    :raises ValueError: a value is the whole file
    """
    edits: list[Edit] = []
    inline: dict[int, tuple[Node, set[int]]] = {}
    blocks: set[int] = set()
    for value in values:
        if tree.parents.of(value) is None:
            raise ValueError("the whole file cannot be taken out")
        parent = _around(text, tree, value)
        below = {id(node) for node in walk(value)}
        if parent is None:
            blocks |= below
        else:
            inline.setdefault(id(parent), (parent, set()))[1].update(below)
    for parent, removed in inline.values():
        if id(parent) not in blocks:
            written = enumerate(_written(text, parent))
            indexes = {index for index, value in written if id(value) in removed}
            edits.extend(remove(text, _children(text, parent), indexes, _COMMENTS))
    cuts = [_with_blank_lines(text, cut) for cut in merge([*_cuts(text, tree, blocks)])]
    edits.extend(Edit(cut, "") for cut in merge(cuts))
    return tuple(edits)


def _around(text: str, tree: Tree, value: Node) -> Node | None:
    """The list or inline table that `value` is written in; None where it has lines of its own."""
    parent = tree.parents.of(value)
    while parent is not None and parent is not tree.root and not is_inline(text, parent):
        parent = tree.parents.of(parent)
    return None if parent is tree.root else parent


def _written(text: str, parent: Node) -> list[Node]:
    """The values between the commas of a list or inline table; a dotted key makes tables around its own."""
    if parent.kind == "array":
        return parent.items
    values: list[Node] = []
    for _, value in parent.members:
        is_made = value.kind == "object" and not is_inline(text, value)
        values.extend(_written(text, value) if is_made else [value])
    return sorted(values, key=lambda value: value.span)


def _children(text: str, parent: Node) -> list[Span]:
    children, at = [], parent.span.start + 1
    for value in _written(text, parent):
        start = value.span.start if parent.kind == "array" else _behind_comma(text, at)
        at = value.span.end
        children.append(Span(start, at))
    return children


def _behind_comma(text: str, at: int) -> int:
    """The offset at which the key after `at` begins."""
    comma = comma_behind(text, at, _COMMENTS)
    trivia = _COMMENTS.trivia.match(text, at if comma is None else comma + 1)
    return trivia.end() if trivia else at


def _cuts(text: str, tree: Tree, removed: set[int]) -> Iterator[Span]:
    """The lines of all statements and headers that write one of `removed`."""
    written = statements(text, tree)
    for statement in written:
        if id(statement.value) in removed:
            end = rest_of_line(text, statement.span.end)
            yield Span(statement.span.start, next_line(text, end))
    lines = list(headers(text, tree))
    for index, header in enumerate(lines):
        if id(header.table) in removed:
            start = header.line.start
            following = lines[index + 1].line.start if index + 1 < len(lines) else len(text)
            ends = [s.span.end for s in written if start < s.span.start < following]
            end = rest_of_line(text, max([header.line.end, *ends]))
            yield Span(start, next_line(text, end))


def _with_blank_lines(text: str, cut: Span) -> Span:
    """`cut` with the blank lines behind it where there are some before it, or those before it at the end."""
    start, end = cut
    blank = _BLANK_LINES.match(text, end)
    behind = blank.end() if blank else end
    before = start
    while before and not text[text.rfind("\n", 0, before - 1) + 1 : before].strip():
        before = text.rfind("\n", 0, before - 1) + 1
    if behind == len(text):
        return Span(before, behind)
    return Span(start, behind if before < start or start == 0 else end)
