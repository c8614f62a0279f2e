"""The image's label `devcontainer.metadata`, for rules about what only stands there."""

from __future__ import annotations

from typing import TYPE_CHECKING

from sandboxd.syntax import jsonc

if TYPE_CHECKING:
    from sandboxd.model.container import Container
    from sandboxd.syntax.node import Node

CONTAINER_HOOKS = (
    "onCreateCommand",
    "updateContentCommand",
    "postCreateCommand",
    "postStartCommand",
    "postAttachCommand",
)


def label_entries(container: Container) -> list[Node] | None:
    """The objects of the label; None when it is no JSON, which makes the CLI ignore it."""
    text = container.image_label.value if container.image_label is not None else ""
    tree = jsonc.parse(text)
    root = tree.root
    if root is None or tree.problems or root.kind not in ("array", "object"):
        return None
    return [node for node in (root.items or [root]) if node.kind == "object"]
