"""Names of images, wherever they are written."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from sandboxd.model.container import Container

if TYPE_CHECKING:
    from collections.abc import Iterator

    from sandboxd.model.image import Image
    from sandboxd.model.values import Value


class Reference(NamedTuple):
    """The parts of an image's name, ``registry/name:tag@digest``; tag and digest are '' where there is none."""

    name: str
    tag: str
    digest: str


def references(subject: Container | Image) -> Iterator[tuple[Value[str], Reference]]:
    """The images that are fetched: of a container, or of the stages of a Dockerfile.

    Left out are stages that start from another stage, names with an unknown variable, and the name that a
    build gives to its result.
    """
    # Not asked the other way round: importing what reads Dockerfiles takes as long as a check.
    if isinstance(subject, Container):
        image = subject.image
        if image is not None and subject.build is None and _is_fetched(image.value):
            yield image, parsed(image.value)
        return
    for stage in subject.stages:
        base = stage.base
        if base is not None and stage.parent is None and _is_fetched(base.value):
            yield base, parsed(base.value)


def parsed(text: str) -> Reference:
    name, _, digest = text.partition("@")
    head, colon, tag = name.rpartition(":")
    # The colon of `registry:5000/name` begins a port.
    if not colon or "/" in tag:
        return Reference(name, "", digest)
    return Reference(head, tag, digest)


def _is_fetched(text: str) -> bool:
    return bool(text) and text.lower() != "scratch" and "$" not in text
