"""Facts about an image from an engine or a registry, as data: a check asks neither."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from sandboxd.syntax.node import Node, Tree


class ImageFacts(NamedTuple):
    """Settings of an image that matter for a config; a field is None where it is not known.

    `user` is whom it runs as, '' for root; `metadata` its label ``devcontainer.metadata``, '' when it has
    none.
    """

    user: str | None = None
    metadata: str | None = None


class ImageLabel(NamedTuple):
    """The label ``devcontainer.metadata`` as the image has it, and as JSON."""

    text: str
    tree: Tree

    def entries(self) -> list[Node] | None:
        """The objects in the label: an array of them, or one. None when it is no JSON."""
        root = self.tree.root
        if root is None or self.tree.problems or root.kind not in ("array", "object"):
            return None
        return [node for node in (root.items or [root]) if node.kind == "object"]
