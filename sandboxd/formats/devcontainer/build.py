"""The keys of a devcontainer.json by which its image is built."""

from __future__ import annotations

import posixpath
from typing import TYPE_CHECKING

from sandboxd.model.container import Build, Pair

if TYPE_CHECKING:
    from collections.abc import Iterator
    from typing import Any, Protocol

    from sandboxd.formats import Resolver
    from sandboxd.model.values import Value
    from sandboxd.syntax.node import Node

    class Reader(Protocol):
        """The reader of the rest of the file."""

        path: str
        variables: Resolver

        def value(
            self, normal: Any, node: Node, key: str, written: str | None = None
        ) -> Value[Any]: ...


def build(reader: Reader, table: Node | None, root: Node) -> Build:
    """The build that the file describes.

    `table` is the value of `build`; without it the old properties at the top count. Paths of the Dockerfile
    and of the context are relative to the file; the context is the Dockerfile's folder where none is given.
    """
    base = posixpath.dirname(reader.path)
    dockerfile = _first(table, ("dockerfile", "dockerFile")) or root.get("dockerFile")
    context = _first(table, ("context",)) or root.get("context")
    file = _path(reader, dockerfile, base)
    folder = _path(reader, context, base)
    if folder is None and file is not None:
        folder = file._replace(value=posixpath.dirname(file.value), nodes=())
    target = _first(table, ("target",))
    arguments = _first(table, ("args",))
    return Build(
        folder,
        file,
        None if target is None or not target.text() else _value(reader, target),
        tuple(
            reader.value(Pair(str(key.value), reader.variables.resolve(text)), value, "build")
            for key, value in (arguments.members if arguments is not None else ())
            if (text := value.text()) is not None
        ),
        tuple(_options(reader, table)),
    )


def _first(table: Node | None, keys: tuple[str, ...]) -> Node | None:
    for key in keys:
        node = table.get(key) if table is not None else None
        if node is not None:
            return node
    return None


def _value(reader: Reader, node: Node) -> Value[str]:
    return reader.value(reader.variables.resolve(node.text() or ""), node, "build")


def _path(reader: Reader, node: Node | None, base: str) -> Value[str] | None:
    text = node.text() if node is not None else None
    if node is None or not text:
        return None
    value = _value(reader, node)
    if "://" in value.value or value.value.startswith(("git@", "$")):
        return value
    return value._replace(value=posixpath.normpath(posixpath.join(base, value.value)))


def _options(reader: Reader, table: Node | None) -> Iterator[Value[Pair]]:
    """The arguments for `docker build` in `options`; one without a value has ''."""
    options = _first(table, ("options",))
    items = options.items if options is not None and options.kind == "array" else []
    index = 0
    while index < len(items):
        node = items[index]
        text = reader.variables.resolve(node.text() or "")
        index += 1
        if not text.startswith("-"):
            continue
        name, separator, value = text.lstrip("-").partition("=")
        following = items[index].text() if index < len(items) else None
        if not separator and following is not None and not following.startswith("-"):
            value = reader.variables.resolve(following)
            yield reader.value(Pair(name, value), items[index], "build")._replace(
                nodes=(node, items[index])
            )
            index += 1
        else:
            yield reader.value(Pair(name, value), node, "build")
    cached = _first(table, ("cacheFrom",))
    if cached is not None:
        for item in cached.items if cached.kind == "array" else [cached]:
            if item.text():
                text = reader.variables.resolve(item.text() or "")
                yield reader.value(Pair("cache-from", text), item, "build")
