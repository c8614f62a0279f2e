"""JSON values as JavaScript takes them, in which the dev container CLI is written."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from sandboxd.syntax.node import Node


def is_truthy(node: Node) -> bool:
    """Return True if a property counts as set: `"false"` in quotes does, 0 and `""` do not."""
    return node.kind in ("object", "array") or bool(node.value)
