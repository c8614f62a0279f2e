"""Small edits of JSON with comments, as changes of text; all other bytes stay.

Indentation, line ends, quotes, trailing commas and comments are kept.

- A new member or item goes behind the last one, below that one's comment on the same line, and
  has a trailing comma only if the last one had.
- Removing takes the comma along, and the line, if nothing else stands on it: see `_removal`.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from sandboxd.syntax._removal import (
    Comments,
    behind_blanks,
    comma_behind,
    is_first_on_line,
    remove,
    rest_of_line,
)
from sandboxd.syntax.node import Node
from sandboxd.text import Edit, Span, line_start

if TYPE_CHECKING:
    from collections.abc import Sequence

    from sandboxd.syntax.node import Member, Tree

_BLOCK = r"/\*(?:[^*]|\*(?!/))*+\*/"
_COMMENTS = Comments(
    re.compile(rf"(?:[ \t\r\n]++|//[^\r\n]*+|{_BLOCK})*+"),
    re.compile(r"(?:[ \t]++|/\*(?:[^*\r\n]|\*(?!/))*+\*/)*+(?://[^\r\n]*+)?"),
)
_BLOCK_COMMENTS = re.compile(rf"(?:[ \t]*+{_BLOCK})*+")
_MUST_ESCAPE = re.compile('["\\\\\x00-\x1f\x7f\ud800-\udfff]')
_SHORT_ESCAPES = {
    '"': '\\"', "\\": "\\\\", "\n": "\\n", "\r": "\\r", "\t": "\\t", "\b": "\\b", "\f": "\\f",
}  # fmt: skip


def encode(value: object, indent: str = "") -> str:
    """`value` as JSON: on one line, or with one line for each element if `indent` is not ''.

    :raises ValueError: a number that JSON cannot represent (infinity or NaN)
    :raises TypeError: a value of a type that JSON does not have
    """
    return _encode(value, indent, "\n" if indent else "")


def _encode(value: object, indent: str, newline: str) -> str:
    if isinstance(value, str):
        return f'"{_MUST_ESCAPE.sub(_escape, value)}"'
    if value is None or isinstance(value, bool):
        return {None: "null", True: "true", False: "false"}[value]
    if isinstance(value, (int, float)):
        if value != value or value in (float("inf"), float("-inf")):
            raise ValueError(f"`{value}` is not a number of JSON")
        return repr(value)
    inner = newline + indent
    if isinstance(value, dict):
        parts = [
            f"{_encode(str(k), '', '')}: {_encode(v, indent, inner)}" for k, v in value.items()
        ]
        opening, closing = "{", "}"
    elif isinstance(value, (list, tuple)):
        parts = [_encode(item, indent, inner) for item in value]
        opening, closing = "[", "]"
    else:
        raise TypeError(f"JSON has no form for a value of type {type(value).__name__}")
    if not parts:
        return opening + closing
    separator = "," + (inner if newline else " ")
    return opening + inner + separator.join(parts) + newline + closing


def _escape(match: re.Match[str]) -> str:
    return _SHORT_ESCAPES.get(match[0], f"\\u{ord(match[0]):04x}")


def replace(node: Node, json_text: str) -> tuple[Edit, ...]:
    """The edit that replaces a value by `json_text`, exactly as given."""
    return (Edit(node.span, json_text),)


def set_member(text: str, tree: Tree, obj: Node, key: str, json_text: str) -> tuple[Edit, ...]:
    """The edits that set a property: replace its value (of several, the last one), or add it.

    Further lines of `json_text` are indented to fit; its line ends become those of `text`.

    :raises NotInTreeError: `obj` is not a node of `tree`
    """
    member = obj.member(key)
    if member is None:
        return _insert(text, tree, obj, f"{encode(key)}: {json_text}")
    new = _fit(text, _indent_at(text, member.key.span.start), json_text)
    start, end = member.value.span
    if end > start:
        return (Edit(member.value.span, new),)
    if text[start - 1] != ":":
        return (Edit(member.value.span, f": {new}"),)
    if text[start : start + 1] == " ":
        return (Edit(Span(start + 1, start + 1), new),)
    return (Edit(member.value.span, f" {new}"),)


def append_item(text: str, tree: Tree, array: Node, json_text: str) -> tuple[Edit, ...]:
    """The edits that add an item at the end of an array; `json_text` is treated as by :func:`set_member`.

    :raises NotInTreeError: as `set_member`
    """
    return _insert(text, tree, array, json_text)


def remove_member(text: str, obj: Node, member: Member) -> tuple[Edit, ...]:
    """The edits that remove a property; see the module's docstring for what is removed with it."""
    index = next(i for i, other in enumerate(obj.members) if other.key is member.key)
    return remove(text, _children(obj), {index}, _COMMENTS)


def remove_items(text: str, array: Node, items: Sequence[Node]) -> tuple[Edit, ...]:
    """The edits that remove items of an array; see the module's docstring for what is removed with them."""
    removed = {id(item) for item in items}
    indexes = {i for i, item in enumerate(array.items) if id(item) in removed}
    return remove(text, _children(array), indexes, _COMMENTS)


# Adding


def _insert(text: str, tree: Tree, container: Node, new: str) -> tuple[Edit, ...]:
    spans = _children(container)
    if not spans:
        return _insert_first(text, tree, container, new)
    first, last = spans[0], spans[-1]
    comma = comma_behind(text, last.end, _COMMENTS)
    end = last.end if comma is None else comma + 1
    line_end = rest_of_line(text, end, _COMMENTS)
    is_first = is_first_on_line(text, last.start)
    if line_end is not None and (is_first or line_end > end):
        indent = _indent_at(text, last.start)
        if not is_first:
            indent = _indent_at(text, container.span.start) + _indent_unit(text, tree, container)
        added = _newline(text) + indent + _fit(text, indent, new)
        at = line_end
    else:
        added = " " + _fit(text, _indent_at(text, first.start), new)
        comments = _BLOCK_COMMENTS.match(text, end)
        at = comments.end() if comments else end
    if comma is not None:
        return (Edit(Span(at, at), added + ","),)
    if at == last.end:
        return (Edit(Span(at, at), "," + added),)
    return (Edit(Span(last.end, last.end), ","), Edit(Span(at, at), added))


def _insert_first(text: str, tree: Tree, container: Node, new: str) -> tuple[Edit, ...]:
    """The edits that add the first child, below comments that exist already, on a line of its own."""
    start = container.span.start + 1
    trivia = _COMMENTS.trivia.match(text, start)
    is_closed = text[container.span.end - 1] in "}]" and (
        trivia is None or start <= trivia.end() < container.span.end
    )
    inner_end = container.span.end - 1 if is_closed else container.span.end
    at = start + len(text[start:inner_end].rstrip(" \t\r\n"))
    base = _indent_at(text, container.span.start)
    indent = base + _indent_unit(text, tree, container)
    newline = _newline(text)
    added = newline + indent + _fit(text, indent, new)
    rest = text[at:inner_end]
    if "\n" in rest or "\r" in rest or not is_closed:
        return (Edit(Span(at, at), added),)
    return (Edit(Span(at, inner_end), added + newline + base),)


def _fit(text: str, indent: str, new: str) -> str:
    """`new` with its further lines indented; line ends stand only between JSON's tokens."""
    lines = new.replace("\r\n", "\n").split("\n")
    return (_newline(text) + indent).join(lines)


def _indent_unit(text: str, tree: Tree, node: Node) -> str:
    """One step of indentation as in this file; two spaces if it has none."""
    container: Node | None = node
    while container is not None:
        spans = _children(container)
        if spans and is_first_on_line(text, spans[0].start):
            outer = _indent_at(text, container.span.start)
            inner = _indent_at(text, spans[0].start)
            if inner.startswith(outer) and len(inner) > len(outer):
                return inner[len(outer) :]
        container = tree.parents.of(container)
    return "  "


# Places


def _children(container: Node) -> list[Span]:
    if container.kind == "object":
        return [
            Span(member.key.span.start, max(member.key.span.end, member.value.span.end))
            for member in container.members
        ]
    return [item.span for item in container.items]


def _indent_at(text: str, at: int) -> str:
    start = line_start(text, at)
    return text[start : behind_blanks(text, start)]


def _newline(text: str) -> str:
    newline = text.find("\n")
    if newline > 0 and text[newline - 1] == "\r":
        return "\r\n"
    return "\r" if newline < 0 and "\r" in text else "\n"
