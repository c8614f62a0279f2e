"""Changes of single settings of a YAML file as edits of its text, every other byte kept."""

from __future__ import annotations

from typing import TYPE_CHECKING

from sandboxd.findings import Remove, Replace
from sandboxd.syntax import yaml, yaml_edit
from sandboxd.syntax.yaml_expanded import Expanded

if TYPE_CHECKING:
    from collections.abc import Sequence

    from sandboxd.findings import Change
    from sandboxd.model.document import Document
    from sandboxd.syntax.node import Node
    from sandboxd.text import Edit


def edits(document: Document, changes: Sequence[Change]) -> tuple[Edit, ...] | None:
    """The edits that make `changes`; None where the file has no place for one of them.

    A replacement is a scalar. A table or list that a removal would leave empty is removed too.
    """
    text_edits: list[Edit] = []
    for change in changes:
        if isinstance(change, Replace) and change.value.nodes:
            node = change.value.nodes[-1]
            if yaml.target(node).text() is None:
                return None
            text_edits.extend(yaml_edit.replace(node, yaml_edit.encode(change.new)))
        elif isinstance(change, Remove) and change.value.nodes:
            removal = _removal(document, change.value.nodes[-1])
            if removal is None:
                return None
            text_edits.extend(removal)
        else:
            return None
    return tuple(text_edits)


def _removal(document: Document, node: Node) -> tuple[Edit, ...] | None:
    text, parents = document.source.text, document.tree.parents
    while (parent := parents.of(node)) is not None:
        if isinstance(parent, Expanded):
            # The content stands at an anchor, and other aliases may use it.
            return None
        if parent.kind == "array" and len(parent.items) > 1:
            return yaml_edit.remove_items(text, parent, [node])
        place = parents.member(node)
        if parent.kind == "object" and place is not None and len(parent.members) > 1:
            return yaml_edit.remove_member(text, *place)
        node = parent
    return None
