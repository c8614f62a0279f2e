"""Finds the places of headers and statements in a TOML file."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, NamedTuple

from sandboxd.syntax import toml
from sandboxd.text import Span, line_start

if TYPE_CHECKING:
    from collections.abc import Iterator

    from sandboxd.syntax.node import Node, Tree

_HEADER = re.compile(r"^[ \t]*+\[[^\r\n]*+", re.MULTILINE)
_REST_OF_LINE = re.compile(r"[^\r\n]*+")


class Header(NamedTuple):
    """A header, with the table that it declares; `line` is the span of its line, without the line end."""

    line: Span
    table: Node


class Statement(NamedTuple):
    """A key with its value; `span` is from the start of its line to the end of the value."""

    span: Span
    value: Node


def is_inline(text: str, node: Node) -> bool:
    """Whether a table or list is written as a value, not by headers or dotted keys."""
    return text[node.span.start : node.span.start + 1] == ("{" if node.kind == "object" else "[")


def statements(text: str, tree: Tree) -> list[Statement]:
    """All statements in the order of the file, without those of a table whose name is missing."""
    written: list[Statement] = []
    waiting = [tree.root] if tree.root is not None else []
    while waiting:
        node = waiting.pop()
        waiting.extend(node.items)
        for key, value in node.members:
            if value.kind in ("object", "array") and not is_inline(text, value):
                waiting.append(value)
            else:
                start = line_start(text, key.span.start)
                end = max(key.span.end, value.span.end)
                written.append(Statement(Span(start, end), value))
    return sorted(written, key=lambda statement: statement.span)


def headers(text: str, tree: Tree) -> Iterator[Header]:
    """All headers in the order of the file."""
    values = iter([statement.span for statement in statements(text, tree)])
    value = next(values, None)
    for match in _HEADER.finditer(text):
        while value is not None and value.end <= match.start():
            value = next(values, None)
        if value is not None and value.start <= match.start():
            continue
        keys = _keys(match[0])
        table = _table(tree.root, keys, match.end())
        if keys and table is not None:
            yield Header(Span(*match.span()), table)


def rest_of_line(text: str, at: int) -> int:
    """The end of the line that `at` is on, without its line end."""
    rest = _REST_OF_LINE.match(text, at)
    return rest.end() if rest else at


def _keys(header: str) -> tuple[str, ...]:
    """The names in a header."""
    names: list[str] = []
    node = toml.parse(header).root
    while node is not None and node.members:
        names.append(str(node.members[0].key.value))
        node = node.members[0].value
        node = node.items[0] if node.items else node
    return tuple(names)


def _table(root: Node | None, keys: tuple[str, ...], end: int) -> Node | None:
    """The table that the header up to `end` declares: of a list of tables the last one before `end`."""
    node = root
    for key in keys:
        node = node.get(key) if node is not None else None
        if node is not None and node.kind == "array":
            node = next((item for item in reversed(node.items) if item.span.start <= end), None)
    return node
