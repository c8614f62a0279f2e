"""Values of manifests and where they stand."""

from __future__ import annotations

from typing import TYPE_CHECKING, TypeVar

from sandboxd.findings import Place
from sandboxd.model.values import Origin, Value
from sandboxd.syntax import yaml
from sandboxd.syntax.yaml import YamlNode
from sandboxd.text import Span

if TYPE_CHECKING:
    from collections.abc import Iterator
    from typing import Any

    from sandboxd.syntax.node import Node
    from sandboxd.text import SourceText

T = TypeVar("T")


def place(node: Node, source: SourceText) -> Place:
    """The characters of a scalar without quotes, anchor and tag; of a collection its first line."""
    target = yaml.target(node)
    start, end = target.content if isinstance(target, YamlNode) else target.span
    if target.kind in ("object", "array"):
        line = source.text.find("\n", start, end)
        end = len(source.text[:line].rstrip()) if line >= 0 else end
    elif isinstance(target, YamlNode) and target.style in ("'", '"') and end > start:
        start, end = start + 1, max(start + 1, end - 1)
    elif not isinstance(target, YamlNode) and target.kind == "string":
        start, end = target.inside()
    return Place(source.path, Span(start, end))


def locate(
    normal: Any,
    node: Node,
    key: str,
    source: SourceText,
    entry: Node | None = None,
    shown: str = "",
) -> Value[Any]:
    """`normal` at its place.

    A fix that removes it removes `entry`; messages call it `shown`.
    """
    written = yaml.scalar_text(node)
    return Value(
        normal,
        Origin("file", source.path, key),
        place(node, source),
        shown or (written if written is not None else ""),
        (entry or node,),
    )


def items(node: Node | None, *path: str) -> Iterator[Node]:
    """The items of the list below `node` at `path`, aliases followed; none where there is no list."""
    table = yaml.get(node, *path)
    for item in table.items if table is not None else ():
        yield yaml.target(item)


def word(node: Node | None, *path: str) -> str:
    """The string below `node` at `path`, '' where there is none."""
    value = yaml.get(node, *path)
    return (value.text() or "") if value is not None else ""


def text(node: Node | None, key: str, source: SourceText) -> Value[str] | None:
    """The scalar under `key` as a text, None where there is none."""
    value = yaml.get(node, key)
    written = yaml.scalar_text(value) if value is not None else None
    if value is None or not written:
        return None
    return locate(written, value, key, source)


def switch(node: Node | None, key: str, source: SourceText) -> Value[bool] | None:
    """The boolean under `key`, None for anything else: the API takes no text for one."""
    value = yaml.get(node, key)
    if value is None or value.kind != "boolean":
        return None
    return locate(value.value, value, key, source, shown=f"{key}: {str(value.value).lower()}")


def retyped(value: Value[Any], normal: T) -> Value[T]:
    """The value with `normal` in place of its own normal form, at the same place."""
    return Value(normal, value.origin, value.place, value.written, value.nodes)
