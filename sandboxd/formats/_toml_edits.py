"""Changes of single settings of a TOML file as edits of its text, every other byte kept."""

from __future__ import annotations

from typing import TYPE_CHECKING

from sandboxd.findings import Remove, Replace
from sandboxd.syntax import toml_removal
from sandboxd.text import Edit

if TYPE_CHECKING:
    from collections.abc import Sequence

    from sandboxd.findings import Change
    from sandboxd.model.document import Document
    from sandboxd.syntax.node import Node


def edits(document: Document, changes: Sequence[Change]) -> tuple[Edit, ...] | None:
    """The edits that make `changes`; None where the file has no place for one of them.

    A replacement is written in TOML.
    """
    text_edits: list[Edit] = []
    removed: list[Node] = []
    for change in changes:
        if isinstance(change, Replace) and change.value.nodes:
            text_edits.append(Edit(change.value.nodes[-1].span, change.new))
        elif isinstance(change, Remove) and change.value.nodes:
            removed.extend(change.value.nodes)
        else:
            return None
    nodes = document.tree.parents.widened(removed)
    removals = toml_removal.remove_values(document.source.text, document.tree, nodes)
    return (*text_edits, *removals)
