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
    made: list[Edit] = []
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
            edit = _replaced(document, change)
            if edit is None:
                return None
            made.extend(edit)
    gone = _removals(document.source.text, removed, service)
    if gone is None:
        return None
    made.extend(gone)
    if service is not None:
        made.extend(_additions(document.source.text, service, added))
    return tuple(made)


def _service(document: Document, container: Container) -> Node | None:
    """The object that the service is in this file; None when it stands elsewhere or is an alias."""
    for root in (document.tree.root, *document.tree.others):
        table = yaml.get(root, "services")
        member = table.member(container.name) if table is not None else None
        if member is not None and member.value.kind == "object":
            return member.value
    return None


def _replaced(document: Document, change: Replace) -> tuple[Edit, ...] | None:
    """Of ``name=value`` only the value is replaced."""
    node = change.value.nodes[-1]
    meant = yaml.target(node)
    text = meant.text()
    if meant.kind in ("number", "boolean"):
        text = change.value.written
    if text is None or not text.endswith(change.value.written):
        return None
    prefix = text[: len(text) - len(change.value.written)]
    return yaml_edit.replace(node, yaml_edit.encode(prefix + change.new))


def _removals(text: str, nodes: list[Node], service: Node | None) -> list[Edit] | None:
    """None where a whole service would have to go, or the file has no place for the change."""
    arrays: dict[int, tuple[Node, list[Node]]] = {}
    objects: list[tuple[Node, Member]] = []
    for node in nodes:
        if node.parent is None:
            return None
        if node.parent.kind == "array":
            arrays.setdefault(id(node.parent), (node.parent, []))[1].append(node)
        elif (member := _member(node)) is not None:
            objects.append((node.parent, member))
        else:
            return None
    made: list[Edit] = []
    for array, items in arrays.values():
        if len(items) < len(array.items):
            made.extend(yaml_edit.remove_items(text, array, items))
        elif (owner := _member(array)) is not None and array.parent is not None:
            objects.append((array.parent, owner))
        else:
            return None
    for parent, member in objects:
        while len(parent.members) == 1:
            # What would be left empty goes as a whole, but a service says more than nothing.
            outer = _member(parent)
            if outer is None or parent.parent is None or parent is service:
                return None
            parent, member = parent.parent, outer
        made.extend(yaml_edit.remove_member(text, parent, member))
    return made


def _member(node: Node) -> Member | None:
    """The property whose value `node` is."""
    if node.parent is None:
        return None
    return next((member for member in node.parent.members if member.value is node), None)


def _additions(text: str, service: Node, added: dict[str, list[str]]) -> list[Edit]:
    made: list[Edit] = []
    for key, items in added.items():
        written = [yaml_edit.encode(item) for item in items]
        array = yaml.get(service, key)
        if array is not None and array.kind == "array" and array.items:
            for item in written:
                made.extend(yaml_edit.append_item(text, array, item))
        else:
            made.extend(yaml_edit.set_member(text, service, key, _list(text, service, written)))
    return made


def _list(text: str, service: Node, items: list[str]) -> str:
    """A new list as the file writes its others: in lines, unless the service is on one."""
    column = service.members[0].key.span.start if service.members else 0
    line = line_start(text, column)
    if getattr(service, "flow", False) or not service.members or text[line:column].strip():
        return f"[{', '.join(items)}]"
    indent = yaml_edit.newline(text) + " " * (column - line + 2)
    return "".join(f"{indent}- {item}" for item in items)
