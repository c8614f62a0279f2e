"""`.github/hooks/*.json`: commands that GitHub Copilot and VS Code run around their agents.

Source: https://docs.github.com/copilot/reference/hooks-configuration,
https://code.visualstudio.com/docs/copilot/customization/hooks. The one spells events with a small first
letter, the other with a capital; both read both."""

from __future__ import annotations

from typing import TYPE_CHECKING

from sandboxd.formats import _agent_events, _agent_reader, _defaults
from sandboxd.model.agent import AgentConfig
from sandboxd.model.document import Document

if TYPE_CHECKING:
    from collections.abc import Iterator

    from sandboxd.text import SourceText

NAME = "copilot_hooks"
NAMES = ("hooks/*.json",)
LANGUAGES: tuple[str, ...] = ()
COMMENT = ""
WATCHED = ("**/.github/hooks/*.json",)
LARGEST = _defaults.LARGEST
recognises = _defaults.recognises
containers = _defaults.containers


def matches(path: str) -> bool:
    folder = path.rpartition("/")[0]
    return folder.endswith(".github/hooks") and path.endswith(".json")


def fits(path: str, text: str) -> bool:
    return '"hooks"' in text or not text.strip()


def parse(source: SourceText) -> Document:
    from sandboxd.syntax import jsonc

    return Document(NAME, source, jsonc.parse(source.text))


def subjects(document: Document) -> Iterator[tuple[str, object]]:
    path = document.source.path
    hooks = _agent_reader.at(document.tree.root, "hooks")
    yield (
        "AgentConfig",
        AgentConfig(
            path, "GitHub Copilot", tuple(_agent_reader.hooks(hooks, path, _agent_events.OCCASIONS))
        ),
    )


edits = _defaults.json_edits
can = _defaults.by_edits(edits)
