"""Values of Compose files: where they stand, and what Compose takes them for."""

from __future__ import annotations

import posixpath

from sandboxd._typing import TYPE_CHECKING
from sandboxd.findings import Place
from sandboxd.model.values import Origin, Value
from sandboxd.syntax import yaml
from sandboxd.syntax.yaml import YamlNode
from sandboxd.text import Span

if TYPE_CHECKING:
    from typing import Any

    from sandboxd.kinds._compose_project import Part
    from sandboxd.syntax.node import Node

_TRUE = ("true", "y", "yes", "on", "1", "t")
_FALSE = ("false", "n", "no", "off", "0", "f")


def located(
    normal: Any, node: Node, part: Part, key: str, document: str, span: Span | None = None
) -> Value[Any]:
    """`normal` at its place; behind an alias that is where its anchor stands.

    `document` is the file that is checked: what stands in another one has that for its origin.
    """
    meant = yaml.target(node)
    source = part.file.source
    inner = content(meant, source.text)
    shown = (
        source.text[inner.start : inner.end] if span is None else source.text[span.start : span.end]
    )
    written = part.file.text(meant) if span is None else shown
    if source.path == document:
        origin = Origin("file", source.path, key)
    else:
        folder = posixpath.dirname(document) or "."
        origin = Origin("compose", posixpath.relpath(source.path, folder), key)
    # To take a value away is to take its alias away: others may use the anchor.
    nodes = (node,) if source.path == document else ()
    return Value(
        normal,
        origin,
        Place(source.path, span or inner),
        shown if written is None else written,
        nodes,
    )


def content(node: Node, text: str) -> Span:
    """What of `text` is the value, without quotes, anchor and tag; of a collection its first line."""
    span = node.span
    if not isinstance(node, YamlNode):
        return span
    if node.kind in ("object", "array"):
        end = text.find("\n", span.start, span.end)
        return Span(span.start, len(text[:end].rstrip()) if end >= 0 else span.end)
    if node.style in ("'", '"'):
        start = text.find(node.style, span.start, span.end) + 1
        return Span(start, max(start, span.end - 1)) if start else span
    if node.style == "" and node.kind != "null":
        plain = str(node.value) if node.kind == "string" else ""
        start = text.rfind(plain, span.start, span.end) if plain else -1
        if start >= 0:
            return Span(start, start + len(plain))
    return span


def part_of(node: Node, text: str, start: int, end: int) -> Span | None:
    """Where the characters from `start` to `end` of a value stand; None where it has escapes."""
    meant = yaml.target(node)
    inner = content(meant, text)
    if text[inner.start : inner.end] != meant.value:
        return None
    return Span(inner.start + start, inner.start + end)


def boolean(text: str) -> bool | None:
    """Compose converts strings to booleans as YAML 1.1 would; None for another word."""
    text = text.lower()
    if text in _TRUE:
        return True
    return False if text in _FALSE else None
