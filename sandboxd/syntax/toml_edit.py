"""Sets a value of a TOML file by small changes of its text.

Every other byte stays: comments, blank lines, the order of tables, indentation and line ends. A new key is
added after the last key of its table, below that one's comment; a new table at the end.
"""

from __future__ import annotations

import datetime
import re
from typing import TYPE_CHECKING

from sandboxd.syntax._toml_places import headers, is_inline, rest_of_line
from sandboxd.text import Edit, Span

if TYPE_CHECKING:
    from collections.abc import Sequence

    from sandboxd.syntax.node import Member, Node, Tree

_BARE_KEY = re.compile(r"[A-Za-z0-9_-]+")
_MUST_ESCAPE = re.compile('["\\\\\x00-\x1f\x7f]')
_SHORT_ESCAPES = {
    '"': '\\"', "\\": "\\\\", "\n": "\\n", "\r": "\\r", "\t": "\\t", "\b": "\\b", "\f": "\\f",
}  # fmt: skip
_TRIVIA = re.compile(r"(?:[ \t\r\n]++|#[^\r\n]*+)*+")


def encode(value: object) -> str:
    """`value` as TOML on one line; a dict becomes an inline table.

    :raises TypeError: TOML has no such type, as for None
    :raises ValueError: a text contains half of a surrogate pair
    """
    if isinstance(value, str):
        value.encode("utf-8")
        return f'"{_MUST_ESCAPE.sub(_escape, value)}"'
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, (int, float)):
        return repr(value)
    if isinstance(value, (datetime.date, datetime.time)):
        return value.isoformat()
    if isinstance(value, (list, tuple)):
        return f"[{', '.join(encode(item) for item in value)}]"
    if isinstance(value, dict):
        pairs = ", ".join(f"{encode_key(str(k))} = {encode(v)}" for k, v in value.items())
        return f"{{ {pairs} }}" if pairs else "{}"
    raise TypeError(f"TOML has no form for a value of type {type(value).__name__}")


def encode_key(*parts: str) -> str:
    """A key, dotted if there are several parts; quoted where it must be."""
    return ".".join(part if _BARE_KEY.fullmatch(part) else encode(part) for part in parts)


def _escape(match: re.Match[str]) -> str:
    return _SHORT_ESCAPES.get(match[0], f"\\u{ord(match[0]):04x}")


def set_value(text: str, tree: Tree, path: Sequence[str], value: object) -> tuple[Edit, ...]:
    """The edits that set the value at `path`, the keys from the root on; missing tables are created.

    If a list only grows, its present items stay as they are written, with their comments.

    :raises ValueError: a part of `path` that must be a table is something else, or the last part is a table
        with a header of its own
    """
    node = tree.root
    if node is None or not path:
        raise ValueError("a path needs at least one key")
    for index, key in enumerate(path):
        if node.kind != "object":
            raise ValueError(f"`{encode_key(*path[:index])}` is not a table")
        child = node.get(key)
        if child is None:
            return _add(text, tree, node, path, index, value)
        node = child
    return _replace(text, node, path, value)


def _replace(text: str, node: Node, path: Sequence[str], value: object) -> tuple[Edit, ...]:
    start, end = node.span
    if node.kind == "object" and not is_inline(text, node):
        raise ValueError(f"`{encode_key(*path)}` is a table: set the keys in it")
    if node.kind == "array" and text[start : start + 1] != "[":
        raise ValueError(f"`{encode_key(*path)}` is a list of tables")
    if node.kind == "missing" and start == end:
        equals = "" if text[:start].rstrip(" \t").endswith("=") else " ="
        return (Edit(node.span, f"{equals} {encode(value)}"),)
    if node.kind == "array" and node.items and isinstance(value, (list, tuple)):
        old = [item.value for item in node.items]
        is_longer = len(value) > len(old) and all(item.kind == "string" for item in node.items)
        if is_longer and list(value[: len(old)]) == old:
            return _grow(text, node, value[len(old) :])
    return (Edit(node.span, encode(value)),)


def _grow(text: str, array: Node, values: Sequence[object]) -> tuple[Edit, ...]:
    """The edits that add items after the last one, on lines of their own if that one has a line of its own."""
    last = array.items[-1].span
    trivia = _TRIVIA.match(text, last.end)
    comma = trivia.end() if trivia else last.end
    has_comma = text[comma : comma + 1] == ","
    end = comma + 1 if has_comma else last.end
    rest = rest_of_line(text, end)
    line_start = _line_start(text, last.start)
    indent = text[line_start : last.start]
    if indent.strip(" \t") or text[end:rest].split("#")[0].strip():
        separator, at = " ", end
    else:
        separator, at = _newline(text) + indent, rest
    added = ",".join(separator + encode(value) for value in values)
    if has_comma:
        return (Edit(Span(at, at), added + ","),)
    if at == last.end:
        return (Edit(Span(at, at), "," + added),)
    return (Edit(Span(last.end, last.end), ","), Edit(Span(at, at), added))


# Adding a key to the deepest table of its path that is there


def _add(
    text: str, tree: Tree, table: Node, path: Sequence[str], index: int, value: object
) -> tuple[Edit, ...]:
    line = f"{encode_key(*path[index:])} = {encode(value)}"
    is_last = index == len(path) - 1
    if table is not tree.root and is_inline(text, table):
        return _add_inline(table, line)
    own = [member for member in table.members if not _is_in_header(text, member)]
    if own:
        start = _line_start(text, own[-1].key.span.start)
        prefix = text[start : own[-1].key.span.start]  # indentation, and `a.` of `a.b = 1`
        if is_last or (index and prefix.strip(" \t")):
            at = rest_of_line(text, _statement_end(text, own[-1]))
            return (Edit(Span(at, at), _newline(text) + prefix + line),)
    elif is_last and index == 0:
        return _add_to_root(text, table, line)
    elif is_last and (header := _header_of(text, tree, table)) is not None:
        return (Edit(Span(header, header), _newline(text) + line),)
    return _add_table(text, path, value)


def _add_table(text: str, path: Sequence[str], value: object) -> tuple[Edit, ...]:
    newline = _newline(text)
    header = f"[{encode_key(*path[:-1])}]{newline}"
    line = f"{encode_key(path[-1])} = {encode(value)}{newline}"
    gap = "" if not text.strip() else newline
    if text and not text.endswith(("\n", "\r")):
        gap += newline
    return (Edit(Span(len(text), len(text)), gap + header + line),)


def _add_inline(table: Node, line: str) -> tuple[Edit, ...]:
    if table.members:
        at = max(table.members[-1].value.span.end, table.members[-1].key.span.end)
        return (Edit(Span(at, at), f", {line}"),)
    return (Edit(table.span, f"{{ {line} }}"),)


def _add_to_root(text: str, root: Node, line: str) -> tuple[Edit, ...]:
    """The edits that add a first key outside of all tables."""
    newline = _newline(text)
    header = _first_header(text, root)
    if header is not None:
        return (Edit(Span(header, header), line + newline + newline),)
    gap = newline if text and not text.endswith(("\n", "\r")) else ""
    return (Edit(Span(len(text), len(text)), gap + line + newline),)


def _header_of(text: str, tree: Tree, table: Node) -> int | None:
    """The end of the line of the header that declares `table`."""
    lines = (header.line for header in headers(text, tree) if header.table is table)
    return next((line.end for line in lines), None)


def _first_header(text: str, root: Node) -> int | None:
    """The offset of the first header, or of the comment right above it unless that opens the file."""
    if not root.members:
        return None
    header = _line_start(text, root.members[0].key.span.start)
    at = header
    while at > 0:
        above = _line_start(text, at - 1 if text[at - 2 : at] != "\r\n" else at - 2)
        if not text[above:at].lstrip(" \t").startswith("#"):
            return at
        at = above
    return header


def _statement_end(text: str, member: Member) -> int:
    """The end of the value of the statement that wrote this key last."""
    node = member.value
    while node.kind == "object" and node.members and not is_inline(text, node):
        own = [inner for inner in node.members if not _is_in_header(text, inner)]
        if not own:
            break
        member = own[-1]
        node = member.value
    return max(node.span.end, member.key.span.end)


def _is_in_header(text: str, member: Member) -> bool:
    start = _line_start(text, member.key.span.start)
    return text[start : member.key.span.start].lstrip(" \t").startswith("[")


def _line_start(text: str, at: int) -> int:
    return text.rfind("\n", 0, at) + 1


def _newline(text: str) -> str:
    newline = text.find("\n")
    return "\r\n" if newline > 0 and text[newline - 1] == "\r" else "\n"
