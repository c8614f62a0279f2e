"""Changes of what a JSON file describes as edits of its text, every other byte kept."""

from __future__ import annotations

from typing import TYPE_CHECKING

from sandboxd.findings import Add, Remove
from sandboxd.syntax import jsonc_edit
from sandboxd.text import Edit, line_start

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from sandboxd.findings import Change
    from sandboxd.model.document import Document
    from sandboxd.syntax.node import Node


def edits(
    document: Document,
    changes: Sequence[Change],
    target: Callable[[Node, str], Node | None],
) -> tuple[Edit, ...] | None:
    """The edits that make `changes`.

    An item for an array is its JSON text; for an object, `"key": value`. An array that a removal would leave
    empty is removed, together with the object around it where that is an item of an array itself (the `names`
    of a rule).

    :param target: finds the array or object that a field stands for
    """
    root = document.tree.root
    if root is None or root.kind != "object":
        return None
    text_edits: list[Edit] = []
    removed: list[Node] = []
    added: dict[int, tuple[Node, list[str]]] = {}
    for change in changes:
        if isinstance(change, Add):
            node = target(root, change.field)
            if node is None:
                return None
            added.setdefault(id(node), (node, []))[1].append(change.item)
        elif not change.value.nodes:
            return None
        elif isinstance(change, Remove):
            removed.extend(change.value.nodes)
        else:
            text_edits.append(Edit(change.value.nodes[-1].span, change.new))
    gone = {id(node): node for node in document.tree.parents.widened(removed)}
    for node, items in added.values():
        if node.items and gone.pop(id(node.items[-1]), None) is not None:
            text_edits.append(_exchange(document, node, items))
        else:
            text_edits.extend(_additions(document, node, items))
    removals = _removals(document, [*gone.values()])
    return None if removals is None else (*text_edits, *removals)


def _exchange(document: Document, array: Node, items: list[str]) -> Edit:
    """The edit that replaces the last item of an array by the added ones."""
    text, last = document.source.text, array.items[-1].span
    before = text[line_start(text, last.start) : last.start]
    separator = ", " if before.strip() else f",{document.source.line_end()}{before}"
    return Edit(last, separator.join(items))


def _additions(document: Document, node: Node, items: list[str]) -> Sequence[Edit]:
    text, tree = document.source.text, document.tree
    separator = ",\n" if "\n" in text[node.span.start : node.span.end] else ", "
    if node.kind == "object":
        text_edits: list[Edit] = []
        key, _, value = items[0].partition(": ")
        rest = "".join(separator + item for item in items[1:])
        text_edits.extend(jsonc_edit.set_member(text, tree, node, key.strip('"'), value + rest))
        return text_edits
    if not node.items:
        return jsonc_edit.replace(node, f"[{', '.join(items)}]")
    return jsonc_edit.append_item(text, tree, node, separator.join(items))


def _removals(document: Document, nodes: list[Node]) -> list[Edit] | None:
    """The edits that remove `nodes`, items of one array together; None where the whole text, or a key alone, would go."""
    text, parents = document.source.text, document.tree.parents
    text_edits: list[Edit] = []
    arrays: dict[int, tuple[Node, list[Node]]] = {}
    for node in nodes:
        parent = parents.of(node)
        if parent is not None and parent.kind == "array":
            arrays.setdefault(id(parent), (parent, []))[1].append(node)
        elif (place := parents.member(node)) is not None and place[1].value is node:
            text_edits.extend(jsonc_edit.remove_member(text, *place))
        else:
            return None
    for array, items in arrays.values():
        text_edits.extend(jsonc_edit.remove_items(text, array, items))
    return text_edits
