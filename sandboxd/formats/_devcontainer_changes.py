"""Changes of a container that a devcontainer.json can express, and the keys of new settings."""

from __future__ import annotations

from typing import TYPE_CHECKING

from sandboxd.findings import Add, Replace

if TYPE_CHECKING:
    from collections.abc import Sequence

    from sandboxd.findings import Change
    from sandboxd.model.container import Container
    from sandboxd.model.document import Document
    from sandboxd.syntax.node import Node

# Where something new is written: top-level `securityOpt` comes after `runArgs` and so wins;
# dropping has no property of its own.
PROPERTY = {
    "security_opt": ("securityOpt", ""),
    "cap_add": ("capAdd", ""),
    "cap_drop": ("runArgs", "--cap-drop="),
    "annotations": ("runArgs", "--annotation="),
    "pids_limit": ("runArgs", "--pids-limit="),
    "memory_swap": ("runArgs", "--memory-swap="),
    "mounts": ("mounts", ""),
}


def can(document: Document, container: Container, changes: Sequence[Change]) -> bool:
    """Whether this file can express all `changes`."""
    root = document.tree.root
    if root is None or root.kind != "object" or not changes:
        return False
    return all(_can(root, container, change) for change in changes)


def _can(root: Node, container: Container, change: Change) -> bool:
    if isinstance(change, Add):
        if change.field not in PROPERTY:
            return False
        key = PROPERTY[change.field][0]
        if key == "runArgs" and root.get("dockerComposeFile") is not None:
            return False
        return key == "mounts" or not _names_another_image(container)
    value = change.value
    if value.origin.kind != "file" or not value.nodes:
        return False
    if not isinstance(change, Replace) or value.nodes[-1].kind == "object":
        return True
    text = value.nodes[-1].text()
    return text is not None and text.endswith(value.written)


def _names_another_image(container: Container) -> bool:
    """Whether docker takes a word of `runArgs` for the image, and so reads no option behind it."""
    image = getattr(container, "image", None)
    return image is not None and image.origin.key == "runArgs"
