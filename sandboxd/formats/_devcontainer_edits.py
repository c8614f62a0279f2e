"""Changes of a container as edits of its devcontainer.json, every other byte kept."""

from __future__ import annotations

from typing import TYPE_CHECKING

from sandboxd.findings import Add, Remove
from sandboxd.formats._devcontainer_changes import PROPERTY, can
from sandboxd.syntax import jsonc_edit
from sandboxd.text import Edit

if TYPE_CHECKING:
    from collections.abc import Sequence

    from sandboxd.findings import Change, Replace
    from sandboxd.model.container import Container
    from sandboxd.model.document import Document
    from sandboxd.syntax.node import Node


def edits(
    document: Document, container: Container, changes: Sequence[Change]
) -> tuple[Edit, ...] | None:
    """The edits that make `changes`; None when this file cannot express one of them."""
    root = document.tree.root
    if root is None or not can(document, container, changes):
        return None
    text_edits: list[Edit] = []
    removed: list[Node] = []
    added: dict[str, list[str]] = {}
    for change in changes:
        if isinstance(change, Add):
            key, prefix = PROPERTY[change.field]
            added.setdefault(key, []).append(prefix + change.item)
        elif isinstance(change, Remove):
            removed.extend(change.value.nodes)
        else:
            text_edits.append(_replacement(change))
    removals = _removals(document, removed)
    if removals is None:
        return None
    text_edits.extend(removals)
    text_edits.extend(_additions(document, root, added))
    return tuple(text_edits)


def _replacement(change: Replace) -> Edit:
    """The edit of one value: in ``--flag=value`` the part behind the sign, of a pair of strings the second.

    An object (a mount) becomes a string.
    """
    node = change.value.nodes[-1]
    text = node.text()
    if text is None:
        return Edit(node.span, jsonc_edit.encode(change.new))
    prefix = text[: len(text) - len(change.value.written)]
    return Edit(node.span, jsonc_edit.encode(prefix + change.new))


def _removals(document: Document, nodes: list[Node]) -> list[Edit] | None:
    """The edits that remove `nodes`; None where the whole text would have to go."""
    text = document.source.text
    text_edits: list[Edit] = []
    arrays: dict[int, tuple[Node, list[Node]]] = {}
    for node in nodes:
        parent = document.tree.parents.of(node)
        if parent is None:
            return None
        if parent.kind == "array":
            arrays.setdefault(id(parent), (parent, []))[1].append(node)
        elif (place := document.tree.parents.member(node)) is not None:
            text_edits.extend(jsonc_edit.remove_member(text, *place))
    for array, items in arrays.values():
        text_edits.extend(_remove_items(document, array, items))
    return text_edits


def _remove_items(document: Document, array: Node, items: list[Node]) -> Sequence[Edit]:
    """The edits that remove items of an array; the array itself if it would be left empty without comments."""
    text = document.source.text
    place = document.tree.parents.member(array)
    if len(items) == len(array.items) and place is not None:
        commented = any(array.span.contains(comment.span) for comment in document.tree.comments)
        if not commented:
            return jsonc_edit.remove_member(text, *place)
    return jsonc_edit.remove_items(text, array, items)


def _additions(document: Document, root: Node, added: dict[str, list[str]]) -> list[Edit]:
    """The edits that add items to existing arrays, and new arrays together behind the last one."""
    text, tree = document.source.text, document.tree
    text_edits: list[Edit] = []
    new: list[tuple[str, list[str]]] = []
    for key, items in added.items():
        node = root.get(key)
        if node is None:
            new.append((key, items))
        elif not node.items:  # also what is no array: a second member of that name would lose
            text_edits.extend(
                jsonc_edit.set_member(text, tree, root, key, jsonc_edit.encode(items))
            )
        else:
            texts = [jsonc_edit.encode(item) for item in items]
            new_items = _separator(text, node).join(texts)
            text_edits.extend(jsonc_edit.append_item(text, tree, node, new_items))
    if new:
        key, items = new[0]
        lines = [jsonc_edit.encode(items)]
        lines += [f"{jsonc_edit.encode(key)}: {jsonc_edit.encode(items)}" for key, items in new[1:]]
        members = _separator(text, root).join(lines)
        text_edits.extend(jsonc_edit.set_member(text, tree, root, key, members))
    return text_edits


def _separator(text: str, node: Node) -> str:
    """The text before children that are added together: edits at one place would each bring a comma."""
    return ",\n" if "\n" in text[node.span.start : node.span.end] else ", "
