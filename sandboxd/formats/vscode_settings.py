"""`.vscode/settings.json`: what a repository sets in the editor that opens it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from sandboxd.formats import _defaults
from sandboxd.model.document import Document

if TYPE_CHECKING:
    from collections.abc import Iterator

    from sandboxd.text import SourceText

NAME = "vscode_settings"
NAMES = (".vscode/settings.json",)
LANGUAGES: tuple[str, ...] = ()
COMMENT = "//"
WATCHED: tuple[str, ...] = ()
LARGEST = _defaults.LARGEST
fits = _defaults.fits
recognises = _defaults.recognises
containers = _defaults.containers


def matches(path: str) -> bool:
    return path.endswith(".vscode/settings.json")


def parse(source: SourceText) -> Document:
    from sandboxd.syntax import jsonc

    return Document(NAME, source, jsonc.parse(source.text))


def subjects(document: Document) -> Iterator[tuple[str, object]]:
    from sandboxd.formats import _editor_reader

    settings = _editor_reader.settings(document.tree.root, document.source.path)
    if settings is not None:
        yield "EditorSettings", settings


edits = _defaults.json_edits
can = _defaults.by_edits(edits)
