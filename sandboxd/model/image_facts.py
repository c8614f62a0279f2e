"""Facts about an image that an engine or a registry reported, as data: checking a file asks neither."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from sandboxd.syntax.node import Node, Tree


class ImageFacts(NamedTuple):
    """Settings of an image that matter for a config; None in a field means that it is not known.

    `user` is the user that it runs as, '' for root; `metadata` is its label ``devcontainer.metadata``, '' if it has
    none.
    """

    user: str | None = None
    metadata: str | None = None


class ImageLabel(NamedTuple):
    """The label ``devcontainer.metadata``: its text, and the text parsed as JSON."""

    text: str
    tree: Tree

    def entries(self) -> list[Node] | None:
        """The objects in the label, which is an array of them or a single one; None if it is not valid JSON."""
        root = self.tree.root
        if root is None or self.tree.problems or root.kind not in ("array", "object"):
            return None
        return [node for node in (root.items or [root]) if node.kind == "object"]
