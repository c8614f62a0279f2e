"""Taking values out of a TOML file as small changes of its text.

Every other byte stays. A statement goes with the comment behind it, a table with all of its headers,
wherever they stand, and with the comments between its statements; of blank lines around what goes one group
stays. In lists and inline tables `_removal` says what goes along.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from sandboxd.syntax._removal import Comments, merge, next_line, remove
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
    """Take values out, each with its key.

    A table that only a dotted key or the header of a sub-table makes is gone with the last of these.

    :raises NotInTreeError: a value is no node of `tree`
    :raises ValueError: a value is the whole file
    """
    edits: list[Edit] = []
    inline: dict[int, tuple[Node, set[int]]] = {}
    blocks: set[int] = set()
    for value in values:
        parent = tree.parents.of(value)
        if parent is None:
            raise ValueError("the whole file cannot be taken out")
        if parent is not tree.root and is_inline(text, parent):
            inline.setdefault(id(parent), (parent, set()))[1].add(_index(parent, value))
        else:
            blocks.update(id(node) for node in walk(value))
    for parent, indexes in inline.values():
        if id(parent) not in blocks:
            edits.extend(remove(text, _children(parent), indexes, _COMMENTS))
    cuts = [_with_blank_lines(text, cut) for cut in merge([*_cuts(text, tree, blocks)])]
    edits.extend(Edit(cut, "") for cut in merge(cuts))
    return tuple(edits)


def _index(parent: Node, value: Node) -> int:
    children = parent.items or [member.value for member in parent.members]
    return next(index for index, child in enumerate(children) if child is value)


def _children(parent: Node) -> list[Span]:
    if parent.kind == "array":
        return [item.span for item in parent.items]
    return [Span(key.span.start, value.span.end) for key, value in parent.members]


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
