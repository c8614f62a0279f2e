"""devcontainer-lock.json: which version of each Feature was installed, by digest."""

from __future__ import annotations

from typing import TYPE_CHECKING

from sandboxd.formats import _defaults
from sandboxd.model.document import Document
from sandboxd.syntax.node import Node, Tree
from sandboxd.text import Span

if TYPE_CHECKING:
    from collections.abc import Iterator

    from sandboxd.text import SourceText

NAME = "feature_lock"
NAMES = ("devcontainer-lock.json", ".devcontainer-lock.json")
LANGUAGES: tuple[str, ...] = ()
COMMENT = ""
WATCHED: tuple[str, ...] = ()
LARGEST = _defaults.LARGEST
fits = _defaults.fits
recognises = _defaults.recognises
containers = _defaults.containers


def matches(path: str) -> bool:
    return path.rpartition("/")[2] in NAMES


def parse(source: SourceText) -> Document:
    from sandboxd.syntax import jsonc

    # An empty one asks the dev container CLI to write it (its `lockfile.ts`): no error.
    if not source.text.strip():
        return Document(NAME, source, Tree(Node("object", Span(0, 0)), (), ()))
    return Document(NAME, source, jsonc.parse(source.text))


def subjects(document: Document) -> Iterator[tuple[str, object]]:
    from sandboxd.formats import _features

    root = document.tree.root
    lock = _features.read_lock(root, document.source.path) if root is not None else None
    if lock is not None:
        yield "FeatureLock", lock


edits = _defaults.no_edits
can = _defaults.by_edits(edits)
