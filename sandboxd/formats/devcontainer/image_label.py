"""The label `devcontainer.metadata` of an image: a devcontainer.json that comes with it.

The dev container CLI merges it below the file: mounts, environment and users ahead of `runArgs`,
the rest behind it. It can name neither arguments of docker nor commands of the host.
"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

from sandboxd import formats
from sandboxd.formats import _features
from sandboxd.formats.devcontainer.reader import Reader
from sandboxd.model.image_facts import ImageLabel
from sandboxd.model.values import Origin, Value
from sandboxd.text import SourceText

if TYPE_CHECKING:
    from typing import Any

    from sandboxd.formats import Resolver
    from sandboxd.model.container import Container
    from sandboxd.model.document import Document
    from sandboxd.model.image_facts import ImageFacts
    from sandboxd.syntax.node import Node

_BEFORE = ("mounts", "env", "user", "remote_user", "remote_env", "lifecycle", "entrypoints")
_AFTER = ("init", "privileged", "cap_add", "security_opt")


def layers(
    image: Value[str],
    facts: ImageFacts,
    base: Container,
    variables: Resolver,
) -> tuple[Container, Container]:
    """The settings of the label that go before `runArgs`, and those behind it.

    Findings stand at `image`, the place where the user can choose another one.
    """
    origin = Origin("label", image.value)
    user = (
        None if facts.user is None else _at_image(image, image._replace(value=facts.user), origin)
    )
    before = base._replace(image_user=user)
    after = base
    if not facts.metadata:
        return before, after
    source = SourceText(image.value, facts.metadata)
    document = formats.parsed("devcontainer", source, variables.files)
    label = ImageLabel(facts.metadata, document.tree)
    before = before._replace(image_label=Value(label, origin, image.place, image.written))
    for entry in _entries(document):
        read = Reader(document, entry, variables)
        own = read.before(base)._replace(entrypoints=tuple(_features.entrypoint(entry, _anywhere)))
        before = _merge(before, own, _BEFORE, image, origin)
        after = _merge(after, read.after(base), _AFTER, image, origin)
    return before, after


def _entries(document: Document) -> list[Node]:
    """The objects of the label: an array of them, or one. The CLI ignores other text.

    JSON with comments is other text: here the CLI is strict.
    """
    try:
        json.loads(document.source.text)
    except (ValueError, RecursionError):
        return []
    root = document.tree.root
    if root is None:
        return []
    return [node for node in (root.items or [root]) if node.kind == "object"]


def _anywhere(normal: Any, node: Node, key: str, written: str) -> Value[Any]:
    return Value(normal, Origin("label", "", key), None, written)


def _merge(
    base: Container, read: Container, fields: tuple[str, ...], image: Value[str], origin: Origin
) -> Container:
    """`base` with these fields of `read`: lists grow, of single values the later wins."""
    changes: dict[str, Any] = {}
    for field in fields:
        value = getattr(read, field)
        if isinstance(value, Value):
            changes[field] = _at_image(image, value, origin)
        elif value:
            new = tuple(_at_image(image, item, origin) for item in value)
            changes[field] = (*getattr(base, field), *new)
    return base._replace(**changes)


def _at_image(image: Value[str], value: Value[Any], origin: Origin) -> Value[Any]:
    """A value of the label, at the place that the user can change."""
    key = value.origin.key if value is not image else ""
    return value._replace(origin=origin._replace(key=key), place=image.place, nodes=())
