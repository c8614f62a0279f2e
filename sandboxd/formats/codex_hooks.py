"""`.codex/hooks.json`: commands that Codex runs around its agent, once the folder is trusted.

Source: https://developers.openai.com/codex/hooks.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from sandboxd.formats import _agent_events, _agent_reader, _defaults
from sandboxd.model.agent import AgentConfig
from sandboxd.model.document import Document

if TYPE_CHECKING:
    from collections.abc import Iterator

    from sandboxd.text import SourceText

NAME = "codex_hooks"
NAMES = (".codex/hooks.json",)
LANGUAGES: tuple[str, ...] = ()
COMMENT = ""
WATCHED = ("**/.codex/hooks.json",)
LARGEST = _defaults.LARGEST
fits = _defaults.fits
recognises = _defaults.recognises
containers = _defaults.containers


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
        AgentConfig(
            path, "Codex", tuple(_agent_reader.hooks(hooks, path, _agent_events.OCCASIONS))
        ),
    )


edits = _defaults.json_edits
can = _defaults.by_edits(edits)
