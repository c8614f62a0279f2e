"""`.cursor/cli.json`: what a repository lets Cursor's command line do without asking.

Source: https://cursor.com/docs/cli/reference/permissions.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from sandboxd.formats import _agent_reader, _defaults
from sandboxd.model import open_commands
from sandboxd.model.agent import AgentConfig, Switch
from sandboxd.model.document import Document

if TYPE_CHECKING:
    from collections.abc import Iterator

    from sandboxd.syntax.node import Node
    from sandboxd.text import SourceText

NAME = "cursor_permissions"
NAMES = (".cursor/cli.json",)
LANGUAGES: tuple[str, ...] = ()
COMMENT = ""
WATCHED = ("**/.cursor/cli.json",)
LARGEST = _defaults.LARGEST
fits = _defaults.fits
recognises = _defaults.recognises
containers = _defaults.containers

_EVERYTHING = {
    "Shell(*)": "runs every command without asking",
    "Shell(**)": "runs every command without asking",
    "Write(**)": "writes every file without asking",
    "Write(**/*)": "writes every file without asking",
    "Mcp(*:*)": "uses every tool of every server without asking",
}

# The command alone stands for it with any words.
_COMMAND = re.compile(r"Shell\(([^:*()]+)(?::\*\*?| \*|)\)")


def matches(path: str) -> bool:
    return path.endswith(NAMES)


def parse(source: SourceText) -> Document:
    from sandboxd.syntax import jsonc

    return Document(NAME, source, jsonc.parse(source.text))


def subjects(document: Document) -> Iterator[tuple[str, object]]:
    root, path = document.tree.root, document.source.path
    yield "AgentConfig", AgentConfig(path, "Cursor", questions=tuple(_questions(root, path)))


def _questions(root: Node | None, path: str) -> Iterator[Switch]:
    allowed = _agent_reader.at(root, "permissions", "allow")
    for item in allowed.items if allowed is not None else ():
        text = item.text() or ""
        command = _COMMAND.fullmatch(text)
        effect = _EVERYTHING.get(text, "")
        is_total = effect.startswith("runs")
        if command is not None:
            effect = effect or open_commands.effect(command[1])
        if effect:
            yield Switch(_agent_reader.value(item, path, "permissions.allow"), effect, is_total)


edits = _defaults.json_edits
can = _defaults.by_edits(edits)
