"""Changes of a container as edits of its Compose file, every other byte kept."""

from __future__ import annotations

from typing import TYPE_CHECKING

from sandboxd.findings import Add, Remove
from sandboxd.formats import _yaml_edits
from sandboxd.syntax import yaml, yaml_edit

if TYPE_CHECKING:
    from collections.abc import Sequence

    from sandboxd.findings import Change, Replace
    from sandboxd.formats._yaml_edits import Addition
    from sandboxd.model.container import Container
    from sandboxd.model.document import Document
    from sandboxd.syntax.node import Node
    from sandboxd.text import Edit

_ADDED = ("cap_add", "cap_drop", "security_opt")


def edits(
    document: Document, container: Container, changes: Sequence[Change]
) -> tuple[Edit, ...] | None:
    """The edits that make `changes`; None when this file cannot express one of them."""
    service = _service(document, container)
    text_edits: list[Edit] = []
    removed: list[Node] = []
    added: Addition = {}
    for change in changes:
        if isinstance(change, Add):
            if change.field not in _ADDED or service is None:
                return None
            before = added.get(change.field)
            items = before if isinstance(before, list) else []
            added[change.field] = [*items, change.item]
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
    removals = _yaml_edits.removals(document, removed, service)
    if removals is None:
        return None
    text_edits.extend(removals)
    if service is not None:
        text_edits.extend(_yaml_edits.additions(document.source.text, service, added))
    return tuple(text_edits)


def _service(document: Document, container: Container) -> Node | None:
    """The object of the service in this file; None when it stands elsewhere or is an alias."""
    for root in (document.tree.root, *document.tree.others):
        table = yaml.get(root, "services")
        member = table.member(container.name) if table is not None else None
        if member is not None and member.value.kind == "object":
            return member.value
    return None


def _replacement(document: Document, change: Replace) -> tuple[Edit, ...] | None:
    """The edit that replaces a value; in ``name=value`` the name stays. None where the file spells it in another way."""
    node = change.value.nodes[-1]
    target = yaml.target(node)
    text = target.text()
    if target.kind in ("number", "boolean"):
        text = change.value.written
    if text is None or not text.endswith(change.value.written):
        return None
    prefix = text[: len(text) - len(change.value.written)]
    return yaml_edit.replace(node, yaml_edit.encode(prefix + change.new))
