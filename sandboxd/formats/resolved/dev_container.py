"""Merges a devcontainer.json with everything that the dev container CLI merges with it.

In the CLI's order: what Features write into the image, the Compose service, the label of the base
image, Features, the file's own properties, `runArgs`; then, after `runArgs`, the options of the
label, of Features and of the file (its imageMetadata.ts and singleContainer.ts).
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from sandboxd.formats.resolved.layers import merge
from sandboxd.model.container import Container

if TYPE_CHECKING:
    from collections.abc import Iterable

    from sandboxd.formats.resolved.variables import Variables
    from sandboxd.model.document import Document
    from sandboxd.model.values import Value
    from sandboxd.syntax.node import Node


def dev_container(
    document: Document, own: tuple[Container, ...], variables: Variables
) -> Container:
    """The container of a devcontainer.json.

    :param own: the settings of the file itself, as its kind reads them
    """
    root = document.tree.root
    if root is None:
        return own[0]
    service = None
    if root.get("dockerComposeFile") is not None and variables.files is not None:
        # Late: few files need it, and so for the imports below.
        from sandboxd.formats.resolved.flavour import service as read

        service = read(document, own, variables)
        own = tuple(_read(layer, service) for layer in own)
    start = own[0] if service is None else service
    image: list[Container] = []
    base = start.image
    if start.build is not None:
        from sandboxd.formats.resolved.dockerfile import read_image

        dockerfile_image = read_image(start, document, variables)
        image, base = [dockerfile_image.layer], dockerfile_image.base
    ahead, behind = _label(base, own[0].name, root, variables)
    if root.get("features") is not None:
        from sandboxd.formats.devcontainer import features

        empty = Container(own[0].name, None)
        added = features.layer(document.source.path, root, empty, variables)
        image.append(empty._replace(env=added.env))
        ahead.append(_without_options(added._replace(env=())))
        behind.append(_options(added))
    if service is None:
        layers = [*image, *ahead, *own[:-1]]
        if own[1].image is not None:
            # `runArgs` names an image: docker takes all options behind it for the image's command.
            return _deduplicate(_merge_all(layers))
        return _deduplicate(_merge_all([*layers, *behind, own[-1]]))._replace(base_image=base)
    from sandboxd.formats.resolved.flavour import over_service, override

    above = override(_deduplicate(_merge_all([*ahead, *own[:-1], *behind, own[-1]])))
    merged = _merge_all([*image, service, above])
    return merged._replace(mounts=over_service(service, above), base_image=base)


def _read(layer: Container, service: Container) -> Container:
    """A layer of the file where the service was looked at."""
    return layer._replace(
        place=service.place or layer.place,
        unseen=tuple(unseen for unseen in layer.unseen if unseen.source != "compose"),
    )


def _label(
    base: Value[str] | None, name: str, root: Node, variables: Variables
) -> tuple[list[Container], list[Container]]:
    """Return the layers that the label of the base image adds, where an engine was asked for it."""
    facts = None if base is None else variables.image(base.value)
    if base is None or facts is None:
        return [], []
    from sandboxd.formats import devcontainer
    from sandboxd.formats.devcontainer import image_label

    inside = devcontainer.inside(root, variables)
    empty = Container(name, None)
    ahead, behind = image_label.layers(base, facts, empty, inside)
    return [ahead], [behind]


def _options(added: Container) -> Container:
    empty = Container(added.name, None)
    return empty._replace(
        init=added.init,
        privileged=added.privileged,
        cap_add=added.cap_add,
        security_opt=added.security_opt,
    )


def _without_options(added: Container) -> Container:
    return added._replace(init=None, privileged=None, cap_add=(), security_opt=())


def _merge_all(layers: Iterable[Container]) -> Container:
    first, *others = layers
    for layer in others:
        first = merge(first, layer)
    return first


def _deduplicate(container: Container) -> Container:
    """`container` without what the CLI drops when it merges label, Features and file.

    Of equal security options only the first stays, so a repetition cannot override an option
    between the two. Of mounts with the same target only the last stays.
    """
    options, mounts = container.security_opt, container.mounts
    texts: set[str] = set()
    options_left = []
    for option in options:
        if option.origin.key != "securityOpt":
            options_left.append(option)
        elif option.written not in texts:
            texts.add(option.written)
            options_left.append(option)
    targets: set[str] = set()
    mounts_left = []
    for mount in reversed(mounts):
        if mount.origin.key != "mounts" or mount.value.target not in targets:
            mounts_left.append(mount)
        if mount.origin.key == "mounts":
            targets.add(mount.value.target)
    if len(options_left) == len(options) and len(mounts_left) == len(mounts):
        return container
    return container._replace(security_opt=tuple(options_left), mounts=tuple(reversed(mounts_left)))
