"""Changes of a container as edits of its Compose file, every other byte kept."""

from __future__ import annotations

from typing import TYPE_CHECKING

from sandboxd.findings import Add, Remove
from sandboxd.syntax import yaml, yaml_edit
from sandboxd.text import line_start

if TYPE_CHECKING:
    from collections.abc import Sequence

    from sandboxd.findings import Change, Replace
    from sandboxd.model.container import Container
    from sandboxd.model.document import Document
    from sandboxd.syntax.node import Member, Node
    from sandboxd.text import Edit

_ADDED = ("cap_add", "cap_drop", "security_opt")


def edits(
    document: Document, container: Container, changes: Sequence[Change]
) -> tuple[Edit, ...] | None:
    """The edits that make `changes`, None when one of them cannot be said in this file."""
    service = _service(document, container)
    text_edits: list[Edit] = []
    removed: list[Node] = []
    added: dict[str, list[str]] = {}
    for change in changes:
        if isinstance(change, Add):
            if change.field not in _ADDED or service is None:
                return None
            added.setdefault(change.field, []).append(change.item)
            continue
        value = change.value
        if value.origin.kind != "file" or not value.nodes:
            return None
        if isinstance(change, Remove):
            removed.extend(value.nodes)
        else:
            edit = _replacement(document, change)
            if edit is None:
                return None
            text_edits.extend(edit)
    removals = _removals(document, removed, service)
    if removals is None:
        return None
    text_edits.extend(removals)
    if service is not None:
        text_edits.extend(_additions(document.source.text, service, added))
    return tuple(text_edits)


def _service(document: Document, container: Container) -> Node | None:
    """The object that the service is in this file; None when it stands elsewhere or is an alias."""
    for root in (document.tree.root, *document.tree.others):
        table = yaml.get(root, "services")
        member = table.member(container.name) if table is not None else None
        if member is not None and member.value.kind == "object":
            return member.value
    return None


def _replacement(document: Document, change: Replace) -> tuple[Edit, ...] | None:
    """The edit that replaces a value; in ``name=value`` the name stays. None where the file spells it otherwise."""
    node = change.value.nodes[-1]
    target = yaml.target(node)
    text = target.text()
    if target.kind in ("number", "boolean"):
        text = change.value.written
    if text is None or not text.endswith(change.value.written):
        return None
    prefix = text[: len(text) - len(change.value.written)]
    return yaml_edit.replace(node, yaml_edit.encode(prefix + change.new))


def _removals(document: Document, nodes: list[Node], service: Node | None) -> list[Edit] | None:
    """None where a whole service would have to go, or the file has no place for the change."""
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
            # An object that would be left empty goes as a whole, unless it is the service itself.
            outer = parents.member(parent)
            if outer is None or parent is service:
                return None
            parent, member = outer
        text_edits.extend(yaml_edit.remove_member(text, parent, member))
    return text_edits


def _additions(text: str, service: Node, added: dict[str, list[str]]) -> list[Edit]:
    text_edits: list[Edit] = []
    for key, items in added.items():
        written = [yaml_edit.encode(item) for item in items]
        array = yaml.get(service, key)
        if array is not None and array.kind == "array" and array.items:
            for item in written:
                text_edits.extend(yaml_edit.append_item(text, array, item))
        else:
            text_edits.extend(
                yaml_edit.set_member(text, service, key, _list(text, service, written))
            )
    return text_edits


def _list(text: str, service: Node, items: list[str]) -> str:
    """A new list as the file writes its others: in lines, unless the service is on one."""
    column = service.members[0].key.span.start if service.members else 0
    line = line_start(text, column)
    if getattr(service, "flow", False) or not service.members or text[line:column].strip():
        return f"[{', '.join(items)}]"
    indent = yaml_edit.newline(text) + " " * (column - line + 2)
    return "".join(f"{indent}- {item}" for item in items)
