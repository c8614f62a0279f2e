"""The label `devcontainer.metadata` of a plan's image, as the engine reported it."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from sandboxd.config.model import Setting
from sandboxd.findings import Place
from sandboxd.formats import devcontainer
from sandboxd.formats.resolved.container import effective
from sandboxd.formats.resolved.variables import Variables
from sandboxd.host.facts import HostFacts
from sandboxd.model.container import Container
from sandboxd.model.image_facts import ImageFacts
from sandboxd.model.values import Value
from sandboxd.text import SourceText


class _Labels(dict[str, ImageFacts]):
    """Labels by the names that configs have for images; a name may have no tag."""

    def __init__(self, host: HostFacts) -> None:
        super().__init__()
        self._engine = host.engine

    def get(self, name: str, default: Any = None) -> Any:
        label = self._engine and self._engine.image_label(name)
        return default if label is None else ImageFacts(metadata=label)


def image_labels(host: HostFacts) -> Mapping[str, ImageFacts]:
    """Image's name -> facts that the engine of `host` gave about it."""
    return _Labels(host)


def of_label(image: Setting[str], host: HostFacts) -> Container | None:
    """The container that an image's label describes; None without a label. Its values have the place of `image` in the
    file.
    """
    images = image_labels(host)
    if images.get(image.value) is None:
        return None
    document = devcontainer.parse(SourceText("image", json.dumps({"image": image.value})))
    container = effective(document, Variables(images=images))
    if container is None:
        return None
    fields = {name: _at_image(value, image.place) for name, value in container._asdict().items()}
    return Container(**fields)


def _at_image(field: Any, place: Place | None) -> Any:
    if isinstance(field, Value):
        return field._replace(place=place, nodes=())
    if isinstance(field, tuple) and field and isinstance(field[0], Value):
        return tuple(_at_image(value, place) for value in field)
    return None if isinstance(field, Place) else field
