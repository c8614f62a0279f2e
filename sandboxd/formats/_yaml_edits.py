"""Removals and additions in YAML files, for every kind that is written in it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from sandboxd.syntax import yaml, yaml_edit
from sandboxd.text import line_start

if TYPE_CHECKING:
    from collections.abc import Iterable

    from sandboxd.model.document import Document
    from sandboxd.syntax.node import Member, Node
    from sandboxd.text import Edit

    Addition = dict[str, "Addition | list[str] | str"]
    """Keys with what is added below them: more keys, items of a list, or a scalar as YAML."""


def removals(document: Document, nodes: Iterable[Node], root: Node | None) -> list[Edit] | None:
    """The edits that remove `nodes`, and each object and list that would be left empty.

    :param root: an object that is not removed as a whole
    :return: None where that would be needed, or where the file has no place for the change
    """
    text, parents = document.source.text, document.tree.parents
    arrays: dict[int, tuple[Node, list[Node]]] = {}
    objects: list[tuple[Node, Member]] = []
    for node in nodes:
        parent = parents.of(node)
        if parent is None:
            return None
        if parent.kind == "array":
            arrays.setdefault(id(parent), (parent, []))[1].append(node)
        elif (place := parents.member(node)) is not None and place[1].value is node:
            objects.append(place)
        else:
            return None
    text_edits: list[Edit] = []
    for array, items in arrays.values():
        if len(items) < len(array.items):
            text_edits.extend(yaml_edit.remove_items(text, array, items))
        elif (place := parents.member(array)) is not None:
            objects.append(place)
        else:
            return None
    for parent, member in objects:
        while len(parent.members) == 1:
            outer = parents.member(parent)
            if outer is None or parent is root:
                return None
            parent, member = outer
        text_edits.extend(yaml_edit.remove_member(text, parent, member))
    return text_edits


def additions(text: str, obj: Node, added: Addition) -> list[Edit]:
    """The edits that add settings to an object, each below the part of its path that exists already."""
    text_edits: list[Edit] = []
    for key, value in added.items():
        inner = yaml.get(obj, key)
        if isinstance(value, dict) and inner is not None and inner.kind == "object":
            text_edits.extend(additions(text, inner, value))
        elif isinstance(value, list) and inner is not None and inner.items:
            for item in value:
                text_edits.extend(yaml_edit.append_item(text, inner, yaml_edit.encode(item)))
        else:
            text_edits.extend(yaml_edit.set_member(text, obj, key, _written(text, obj, value)))
    return text_edits


def _written(text: str, obj: Node, value: Addition | list[str] | str) -> str:
    """`value` in the style of the object's other values: one line each, or all on one line."""
    if isinstance(value, str):
        return value
    column = obj.members[0].key.span.start if obj.members else 0
    line = line_start(text, column)
    # A list of objects begins them behind its dash: `- name: web`.
    before = text[line:column].replace("-", " ")
    if getattr(obj, "flow", False) or not obj.members or before.strip():
        return _flow(value)
    return _block(value, yaml_edit.newline(text) + " " * (column - line + 2))


def _flow(value: Addition | list[str] | str) -> str:
    if isinstance(value, str):
        return value
    if isinstance(value, list):
        return f"[{', '.join(map(yaml_edit.encode, value))}]"
    return "{" + ", ".join(f"{key}: {_flow(inner)}" for key, inner in value.items()) + "}"


def _block(value: Addition | list[str], indent: str) -> str:
    """Lines that each begin with `indent`, which begins with the end of the line before."""
    if isinstance(value, list):
        return "".join(f"{indent}- {yaml_edit.encode(item)}" for item in value)
    lines = []
    for key, inner in value.items():
        below = f" {inner}" if isinstance(inner, str) else _block(inner, indent + "  ")
        lines.append(f"{indent}{key}:{below}")
    return "".join(lines)
