"""`.vscode/tasks.json`: commands that VS Code runs, some of them by itself."""

from __future__ import annotations

from typing import TYPE_CHECKING

from sandboxd.formats import _defaults
from sandboxd.model.document import Document

if TYPE_CHECKING:
    from collections.abc import Iterator

    from sandboxd.text import SourceText

NAME = "vscode_tasks"
NAMES = (".vscode/tasks.json",)
LANGUAGES: tuple[str, ...] = ()
COMMENT = "//"
WATCHED: tuple[str, ...] = ()
LARGEST = _defaults.LARGEST
fits = _defaults.fits
recognises = _defaults.recognises
containers = _defaults.containers


def matches(path: str) -> bool:
    return path.endswith(".vscode/tasks.json")


def parse(source: SourceText) -> Document:
    from sandboxd.syntax import jsonc

    return Document(NAME, source, jsonc.parse(source.text))


def subjects(document: Document) -> Iterator[tuple[str, object]]:
    from sandboxd.formats import _editor_reader

    for task in _editor_reader.tasks(document.tree.root, document.source.path):
        yield "EditorTask", task


edits = _defaults.json_edits
can = _defaults.by_edits(edits)
