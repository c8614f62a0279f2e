"""The strings of a devcontainer.json that its tools substitute variables in."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator

    from sandboxd.model.document import Document
    from sandboxd.syntax.node import Node


def strings(document: Document, without: tuple[str, ...] = ()) -> Iterator[tuple[str, Node]]:
    """Every string value with `$` in it, with the property of the file that it is a part of."""
    root = document.tree.root
    if root is None or root.kind != "object" or "${" not in document.source.text:
        return
    for key, top in root.members:
        if key.value in without:
            continue
        waiting = [top]
        while waiting:
            node = waiting.pop()
            if node.kind == "string" and "${" in str(node.value):
                yield str(key.value), node
            waiting.extend(reversed(node.items))
            waiting.extend(member.value for member in reversed(node.members))


def variables(node: Node) -> Iterator[list[str]]:
    """Variables of a string: the text between ``${`` and ``}``, split at the colons as its tools do."""
    # No regular expression: to compile one takes longer than most files.
    for part in str(node.value).split("${")[1:]:
        inner, closed, _ = part.partition("}")
        if closed:
            yield inner.split(":")
