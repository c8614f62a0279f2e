"""`runArgs` of a devcontainer.json, as docker reads them."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from sandboxd.model.document import Document
    from sandboxd.syntax.argv import Arguments
    from sandboxd.syntax.node import Node


def run_args(document: Document) -> Node | None:
    """The array, None when there is none."""
    root = document.tree.root
    node = root.get("runArgs") if root is not None and root.kind == "object" else None
    return node if node is not None and node.kind == "array" and node.items else None


def arguments(document: Document) -> Arguments | None:
    """The arguments as docker reads them, None where the file has none or docker never sees them."""
    node = run_args(document)
    if node is None or document.tree.root.get("dockerComposeFile") is not None:  # type: ignore[union-attr]
        return None
    from sandboxd.syntax import argv

    return argv.parse(node.items)
