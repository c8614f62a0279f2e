"""JSON values as JavaScript treats them, in which the dev container CLI is written."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from sandboxd.syntax.node import Node


def is_truthy(node: Node) -> bool:
    """Whether JavaScript treats a property as true: `"false"` in quotes is, 0 and `""` are not."""
    return node.kind in ("object", "array") or bool(node.value)
