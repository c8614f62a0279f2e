"""devcontainer-feature.json: what a Feature asks for in every container that names it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from sandboxd.findings import Place
from sandboxd.formats import _defaults
from sandboxd.formats import _docker_flags as flags
from sandboxd.model.container import Container
from sandboxd.model.document import Document
from sandboxd.model.values import Origin, Value
from sandboxd.syntax import jsonc
from sandboxd.text import SourceText, Span

if TYPE_CHECKING:
    from collections.abc import Sequence
    from typing import Any

    from sandboxd.findings import Change
    from sandboxd.formats import Resolver
    from sandboxd.syntax.node import Node
    from sandboxd.text import Edit

NAME = "feature"
NAMES = ("devcontainer-feature.json",)
LANGUAGES: tuple[str, ...] = ()
COMMENT = "//"
WATCHED: tuple[str, ...] = ()
LARGEST = _defaults.LARGEST
fits = _defaults.fits
recognises = _defaults.recognises
subjects = _defaults.subjects


def matches(path: str) -> bool:
    return path.rpartition("/")[2] == NAMES[0]


def parse(source: SourceText) -> Document:
    return Document(NAME, source, jsonc.parse(source.text))


def containers(document: Document, variables: Resolver) -> tuple[Container, ...]:
    from sandboxd.formats import _features

    root = document.tree.root
    if root is None or root.kind != "object":
        return ()
    path = document.source.path

    def locate(normal: Any, node: Node, key: str, written: str) -> Value[Any]:
        text = node.text()
        span = flags.inner_span(node, text, 0, len(text)) if text else None
        place = Place(path, span or node.span)
        return Value(normal, Origin("file", path, key), place, written, (node,))

    member = root.member("id") or root.member("name")
    start = Span(root.span.start, root.span.start + 1)
    base = Container(path, Place(path, member.key.span if member else start), partial=True)
    return (_features.describe(root, base, locate, variables),)


def edits(
    document: Document, container: Container, changes: Sequence[Change]
) -> tuple[Edit, ...] | None:
    from sandboxd.formats import _devcontainer_edits

    return _devcontainer_edits.edits(document, container, changes)


can = _defaults.by_edits(edits)
