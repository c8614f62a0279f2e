"""Values of Compose files: where they stand, and what Compose takes them for."""

from __future__ import annotations

import posixpath
from typing import TYPE_CHECKING

from sandboxd.findings import Place
from sandboxd.model.values import Origin, Value
from sandboxd.syntax import yaml
from sandboxd.syntax.yaml import YamlNode
from sandboxd.text import Span

if TYPE_CHECKING:
    from collections.abc import Iterator
    from typing import Any

    from sandboxd.formats.compose.project import Part
    from sandboxd.syntax.node import Node

_TRUE = ("true", "y", "yes", "on", "1", "t")
_FALSE = ("false", "n", "no", "off", "0", "f")


def locate(
    normal: Any, node: Node, part: Part, key: str, document: str, span: Span | None = None
) -> Value[Any]:
    """`normal` at its place; behind an alias that is where its anchor stands.

    `document` is the file that is checked: a value from another file has that file as its origin.
    """
    target = yaml.target(node)
    source = part.file.source
    inner = content(target, source.text)
    text = (
        source.text[inner.start : inner.end] if span is None else source.text[span.start : span.end]
    )
    written = part.file.text(target) if span is None else text
    if source.path == document:
        origin = Origin("file", source.path, key)
    else:
        folder = posixpath.dirname(document) or "."
        origin = Origin("compose", posixpath.relpath(source.path, folder), key)
    # Removing a value removes its alias, since others may use the anchor.
    nodes = (node,) if source.path == document else ()
    return Value(
        normal,
        origin,
        Place(source.path, span or inner),
        text if written is None else written,
        nodes,
    )


def content(node: Node, text: str) -> Span:
    """The place of the value without quotes, anchor and tag; of a collection its first line."""
    if not isinstance(node, YamlNode):
        return node.span
    start, end = node.content
    if node.kind in ("object", "array"):
        line = text.find("\n", start, end)
        return Span(start, len(text[:line].rstrip()) if line >= 0 else end)
    if node.style in ("'", '"') and end > start:
        return Span(start + 1, max(start + 1, end - 1))
    return Span(start, end)


def part_of(node: Node, text: str, start: int, end: int) -> Span | None:
    """The place of the characters from `start` to `end` of a value; None if it has escapes."""
    target = yaml.target(node)
    inner = content(target, text)
    if text[inner.start : inner.end] != target.value:
        return None
    return Span(inner.start + start, inner.start + end)


def boolean(text: str) -> bool | None:
    """The boolean that Compose makes of a string, as YAML 1.1 would; None for another word."""
    text = text.lower()
    if text in _TRUE:
        return True
    return False if text in _FALSE else None


def entries(part: Part, marks: str) -> Iterator[tuple[str, str | None, Node]]:
    """Name, value and node of the entries of a list or an object; no value where none is given."""
    node = yaml.target(part.node)
    if node.kind == "object":
        for key, value in yaml.members(node):
            target = yaml.target(value)
            if target.kind == "array":
                # `extra_hosts` takes several addresses of a host.
                yield from ((str(key.value), part.file.text(item), item) for item in target.items)
            elif target.kind != "object":
                yield str(key.value), part.file.text(value), value
        return
    for item in node.items if node.kind == "array" else [node]:
        text = part.file.text(item)
        if not text:
            continue
        ends = [at for at in map(text.find, marks) if at >= 0]
        if not ends:
            yield text, None, item
        else:
            yield text[: min(ends)], text[min(ends) + 1 :], item
