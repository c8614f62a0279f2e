"""`*.code-workspace`: settings, tasks and the machine that VS Code opens a workspace with.

Source: https://code.visualstudio.com/docs/editing/workspaces/multi-root-workspaces.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from sandboxd.formats import _agent_reader, _defaults, _editor_reader
from sandboxd.model.document import Document

if TYPE_CHECKING:
    from collections.abc import Iterator

    from sandboxd.text import SourceText

NAME = "code_workspace"
NAMES = ("*.code-workspace",)
LANGUAGES: tuple[str, ...] = ()
COMMENT = "//"
WATCHED = ("**/*.code-workspace",)
LARGEST = _defaults.LARGEST
fits = _defaults.fits
recognises = _defaults.recognises
containers = _defaults.containers


def matches(path: str) -> bool:
    return path.endswith(".code-workspace")


def parse(source: SourceText) -> Document:
    from sandboxd.syntax import jsonc

    return Document(NAME, source, jsonc.parse(source.text))


def subjects(document: Document) -> Iterator[tuple[str, object]]:
    root, path = document.tree.root, document.source.path
    settings = _editor_reader.settings(_agent_reader.at(root, "settings"), path)
    if settings is not None:
        yield "EditorSettings", settings
    for task in _editor_reader.tasks(_agent_reader.at(root, "tasks"), path):
        yield "EditorTask", task
    remote = _agent_reader.at(root, "remoteAuthority")
    if remote is not None and remote.text():
        from sandboxd.model.editor import EditorSettings

        yield (
            "EditorSettings",
            EditorSettings(path, (_agent_reader.value(remote, path, "remoteAuthority"),)),
        )


edits = _defaults.json_edits
can = _defaults.by_edits(edits)
