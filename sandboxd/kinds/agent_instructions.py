"""`AGENTS.md`, `CLAUDE.md` and their relatives: texts of a repository that agents follow.

Only the characters are looked at that a person does not see: bidirectional controls (Unicode UAX 9,
"Trojan Source" CVE-2021-42574), tag characters and variation selectors, which can carry a whole text, and
characters without width. Source of the names: https://agents.md, https://code.claude.com/docs/en/memory,
https://docs.github.com/copilot/customizing-copilot, https://docs.cursor.com/context/rules.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from sandboxd.findings import Place, Remove
from sandboxd.kinds import _defaults
from sandboxd.model.agent import Instructions
from sandboxd.model.document import Document
from sandboxd.model.values import Origin, Value
from sandboxd.syntax.node import Tree
from sandboxd.text import Edit, Span

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from typing import Any

    from sandboxd.findings import Change
    from sandboxd.text import SourceText

NAME = "agent_instructions"
NAMES = (
    "agents.md",
    "agent.md",
    "claude.md",
    "claude.local.md",
    "gemini.md",
    "qwen.md",
    "warp.md",
    "skill.md",
    "copilot-instructions.md",
    ".cursorrules",
    ".windsurfrules",
    ".clinerules",
    ".goosehints",
    "*.mdc",
    "*.instructions.md",
)
LANGUAGES: tuple[str, ...] = ()
COMMENT = ""
WATCHED = ("**/AGENTS.md", "**/CLAUDE.md", "**/GEMINI.md", "**/.cursorrules")
LARGEST = 1024 * 1024
fits = _defaults.fits
recognises = _defaults.recognises
containers = _defaults.containers

# A flag of a country's part is a black flag with tag characters and the tag that ends them.
_FLAG = "\U0001f3f4[\U000e0020-\U000e007e]{1,8}\U000e007f"
_HIDDEN = (
    "[\u202a-\u202e\u2066-\u2069]+"
    "|[\U000e0000-\U000e007f]+"
    "|[\ufe00-\ufe0f\U000e0100-\U000e01ef]{2,}"
    "|[\u00ad\u180e\u200b\u2060-\u2064\ufeff]+"
)
_PATTERN = re.compile(f"({_FLAG})|({_HIDDEN})")
_MOST = 1000


def matches(path: str) -> bool:
    name = path.rpartition("/")[2].lower()
    return name in NAMES or name.endswith((".mdc", ".instructions.md"))


def parse(source: SourceText) -> Document:
    return Document(NAME, source, Tree(None, (), ()), "markdown")


def subjects(document: Document) -> Iterator[tuple[str, object]]:
    hidden = tuple(_hidden(document.source))
    if hidden:
        yield "Instructions", Instructions(document.source.path, hidden)


def _hidden(source: SourceText) -> Iterator[Value[str]]:
    count = 0
    for match in _PATTERN.finditer(source.text):
        # A byte order mark begins a file.
        if match[1] or (match[0] == "\ufeff" and match.start() == 0):
            continue
        count += 1
        if count > _MOST:
            return
        place = Place(source.path, Span(match.start(), match.end()))
        yield Value(match[0], Origin("file", source.path), place, match[0])


def edits(document: Document, subject: Any, changes: Sequence[Change]) -> tuple[Edit, ...] | None:
    removals = []
    for change in changes:
        if not isinstance(change, Remove) or change.value.place is None:
            return None
        removals.append(Edit(change.value.place.span, ""))
    return tuple(removals)


can = _defaults.by_edits(edits)
