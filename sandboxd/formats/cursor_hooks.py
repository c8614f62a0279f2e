"""`.cursor/hooks.json`: commands that Cursor runs around its agent.

Source: https://cursor.com/docs/agent/hooks.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from sandboxd.formats import _agent_reader, _defaults
from sandboxd.model.agent import AgentConfig
from sandboxd.model.document import Document

if TYPE_CHECKING:
    from collections.abc import Iterator

    from sandboxd.text import SourceText

NAME = "cursor_hooks"
NAMES = (".cursor/hooks.json",)
LANGUAGES: tuple[str, ...] = ()
COMMENT = ""
WATCHED = ("**/.cursor/hooks.json",)
LARGEST = _defaults.LARGEST
fits = _defaults.fits
recognises = _defaults.recognises
containers = _defaults.containers

_OCCASIONS = {
    "sessionStart": "when a session starts",
    "sessionEnd": "when a session ends",
    "beforeSubmitPrompt": "with each prompt",
    "beforeShellExecution": "before each command",
    "afterShellExecution": "after each command",
    "beforeMCPExecution": "before each use of a tool",
    "afterMCPExecution": "after each use of a tool",
    "beforeReadFile": "before each file that is read",
    "afterFileEdit": "after each edit",
    "stop": "when an answer ends",
}


def matches(path: str) -> bool:
    return path.endswith(NAMES)


def parse(source: SourceText) -> Document:
    from sandboxd.syntax import jsonc

    return Document(NAME, source, jsonc.parse(source.text))


def subjects(document: Document) -> Iterator[tuple[str, object]]:
    path = document.source.path
    hooks = _agent_reader.at(document.tree.root, "hooks")
    yield (
        "AgentConfig",
        AgentConfig(path, "Cursor", tuple(_agent_reader.hooks(hooks, path, _OCCASIONS))),
    )


edits = _defaults.json_edits
can = _defaults.by_edits(edits)
