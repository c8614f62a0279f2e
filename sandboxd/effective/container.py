"""The merge: what the engine would really be asked for, each value with its origin.

The dev container CLI hands docker its arguments in a fixed order (its singleContainer.ts), and
docker takes the last one of a kind: options of top-level properties come after `runArgs`.
"""

from __future__ import annotations

from sandboxd import kinds
from sandboxd._typing import TYPE_CHECKING
from sandboxd.model.container import Container

if TYPE_CHECKING:
    from sandboxd.effective.variables import Variables
    from sandboxd.model.document import Document


def effective(document: Document, variables: Variables) -> Container | None:
    """The container of a file that describes one; None if it describes none."""
    merged = containers(document, variables)
    return merged[0] if merged else None


def containers(document: Document, variables: Variables) -> tuple[Container, ...]:
    """All containers that a file describes."""
    variables = variables.for_file(document.source.path)
    merged: dict[str, Container] = {}
    layers = kinds.get(document.kind).containers(document, variables)
    if variables.files is not None and _uses_compose(document):
        layers = _over_service(document, layers, variables)
    for layer in layers:
        below = merged.get(layer.name)
        merged[layer.name] = layer if below is None else merge(below, layer)
    made = tuple(merged.values())
    if variables.files is None or all(container.build is None for container in made):
        return made
    from sandboxd.effective.flavour import with_dockerfile

    return tuple(with_dockerfile(container, document, variables) for container in made)


def _uses_compose(document: Document) -> bool:
    root = document.tree.root
    is_config = document.kind == "devcontainer" and root is not None and root.kind == "object"
    return is_config and root is not None and root.get("dockerComposeFile") is not None


def _over_service(
    document: Document, layers: tuple[Container, ...], variables: Variables
) -> tuple[Container, ...]:
    """The layers of a devcontainer.json over the service that they belong to."""
    # Late: few files have need of it.
    from sandboxd.effective.flavour import service

    below = service(document, layers, variables)
    seen = tuple(
        layer._replace(
            place=below.place or layer.place,
            unseen=tuple(unseen for unseen in layer.unseen if unseen.source != "compose"),
        )
        for layer in layers
    )
    return (below, *seen)


def merge(below: Container, above: Container) -> Container:
    """`above` handed to docker after `below`: lists grow, of single values the later wins."""
    fields: dict[str, object] = {}
    for name, old, new in zip(Container._fields, below, above, strict=True):
        if type(old) is tuple and type(new) is tuple:
            fields[name] = (*old, *new)
        else:
            fields[name] = old if new is None else new
    return Container(**fields)  # type: ignore[arg-type]
