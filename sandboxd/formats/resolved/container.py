"""Merges all settings of a container as the engine would get them, each value with its origin.

The dev container CLI hands docker its arguments in a fixed order (its singleContainer.ts), and
docker takes the last one of a kind: options of top-level properties come after `runArgs`.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from sandboxd import formats
from sandboxd.formats.resolved.layers import merge

if TYPE_CHECKING:
    from sandboxd.formats.resolved.variables import Variables
    from sandboxd.model.container import Container
    from sandboxd.model.document import Document


def effective(document: Document, variables: Variables) -> Container | None:
    """The container that a file describes; the first of several, None if there is none."""
    merged = containers(document, variables)
    return merged[0] if merged else None


def containers(document: Document, variables: Variables) -> tuple[Container, ...]:
    """All containers that a file describes, each with everything that is merged into it."""
    variables = variables.for_file(document.source.path)
    layers = formats.get(document.kind).containers(document, variables)
    if document.kind == "devcontainer" and layers:
        from sandboxd.formats.resolved.dev_container import dev_container

        return (dev_container(document, layers, variables),)
    merged: dict[str, Container] = {}
    for layer in layers:
        below = merged.get(layer.name)
        merged[layer.name] = layer if below is None else merge(below, layer)
    results = tuple(merged.values())
    if variables.files is None or all(container.build is None for container in results):
        return results
    from sandboxd.formats.resolved.dockerfile import over_dockerfile

    return tuple(over_dockerfile(container, document, variables) for container in results)
