"""`AGENTS.md`, `CLAUDE.md` and their relatives: texts of a repository that agents follow.

Only the characters are looked at that a person does not see: bidirectional controls (Unicode UAX 9,
"Trojan Source" CVE-2021-42574), tag characters and variation selectors, which can carry a whole text, and
characters without width. Source of the names: https://agents.md, https://code.claude.com/docs/en/memory,
https://docs.github.com/copilot/customizing-copilot, https://docs.cursor.com/context/rules.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from sandboxd import agent_files
from sandboxd.formats import _defaults, _hidden_text
from sandboxd.model.document import Document
from sandboxd.syntax.node import Tree

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from typing import Any

    from sandboxd.findings import Change
    from sandboxd.text import Edit, SourceText

NAME = "agent_instructions"
NAMES = (*agent_files.INSTRUCTIONS, "*.mdc", "*.instructions.md")
LANGUAGES: tuple[str, ...] = ()
COMMENT = ""
WATCHED = ("**/AGENTS.md", "**/CLAUDE.md", "**/GEMINI.md", "**/.cursorrules")
LARGEST = 4 * 1024 * 1024
fits = _defaults.fits
recognises = _defaults.recognises
containers = _defaults.containers


def matches(path: str) -> bool:
    name = path.rpartition("/")[2].lower()
    return name in NAMES or name.endswith((".mdc", ".instructions.md"))


def parse(source: SourceText) -> Document:
    return Document(NAME, source, Tree(None, (), ()), "markdown")


def subjects(document: Document) -> Iterator[tuple[str, object]]:
    return _hidden_text.instructions(document.source)


def edits(document: Document, subject: Any, changes: Sequence[Change]) -> tuple[Edit, ...] | None:
    return _hidden_text.edits(changes)


can = _defaults.by_edits(edits)
