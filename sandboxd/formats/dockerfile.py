"""Dockerfiles and Containerfiles. They describe an image; see `formats.resolved` for what it makes of a
container that is built from it."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from sandboxd.findings import Add, Remove
from sandboxd.formats import _defaults
from sandboxd.model.document import Document
from sandboxd.text import Edit, Span, line_start

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence
    from typing import Any

    from sandboxd.findings import Change
    from sandboxd.syntax.node import Node
    from sandboxd.text import SourceText

NAME = "dockerfile"
NAMES = ("*dockerfile*", "*containerfile*")
LANGUAGES = ("dockerfile", "containerfile")
COMMENT = "#"
WATCHED = ("**/*Dockerfile*",)
LARGEST = _defaults.LARGEST
recognises = _defaults.recognises
containers = _defaults.containers
_NAME = re.compile(
    r"(?:(?:dockerfile|containerfile)(?:[._-].*)?|.*[._-](?:dockerfile|containerfile))\Z",
    re.IGNORECASE,
)
# Names that begin like a Dockerfile's and are none.
_OTHERS = (
    *(".dockerignore", ".md", ".txt", ".py", ".sh", ".json", ".yml", ".yaml", ".j2", ".tmpl"),
    # Syntax files, icons and pages about Dockerfiles; `Dockerfile.js` may be a real one.
    *(".vim", ".lua", ".el", ".svg", ".png", ".html", ".css", ".xml", ".snap", ".tmlanguage"),
)
# With these endings a name may be a variant (`Dockerfile.go`) or a source file (`dockerfile.go`).
_LANGUAGES = frozenset(
    [
        "c",
        "cc",
        "clj",
        "cpp",
        "cr",
        "cs",
        "dart",
        "ex",
        "exs",
        "fs",
        "go",
        "groovy",
        "h",
        "hs",
        "java",
        "js",
        "jsx",
        "kt",
        "ml",
        "mjs",
        "nim",
        "php",
        "pl",
        "ps1",
        "r",
        "rb",
        "rs",
        "scala",
        "swift",
        "tf",
        "toml",
        "ts",
        "tsx",
        "zig",
    ]
)
_VARIANT = re.compile(r"(?:dockerfile|containerfile)\.[a-z0-9]+\Z", re.IGNORECASE)
_FIRST_WORD = re.compile(r"(?:[ \t]*+(?:#[^\n]*+|\r)?\n)*+[ \t]*+([A-Za-z]++)(?=[ \t])")


def matches(path: str) -> bool:
    """Whether a name is `Dockerfile`, `Dockerfile.dev`, `dev.Dockerfile` or the like; of source files only variants."""
    name = path.rpartition("/")[2]
    if _NAME.match(name) is None or name.lower().endswith(_OTHERS):
        return False
    return not _is_source(name) or _VARIANT.match(name) is not None


def fits(path: str, text: str) -> bool:
    """Whether a file whose name a source file may have begins with an instruction."""
    if not _is_source(path.rpartition("/")[2]):
        return True
    from sandboxd.syntax.dockerfile import KEYWORDS

    word = _FIRST_WORD.match(text)
    return word is not None and word[1].upper() in KEYWORDS


def _is_source(name: str) -> bool:
    return "." in name and name.rpartition(".")[2].lower() in _LANGUAGES


def parse(source: SourceText) -> Document:
    # Late: a check of a devcontainer.json without a Dockerfile does not need it.
    from sandboxd.syntax import dockerfile

    return Document(NAME, source, dockerfile.parse(source.text), "dockerfile")


def subjects(document: Document) -> Iterable[tuple[str, object]]:
    from sandboxd.model.image import image

    yield "Image", image(document)


def edits(document: Document, subject: Any, changes: Sequence[Change]) -> tuple[Edit, ...] | None:
    """Edits that remove whole instructions with their lines, and words with the blanks behind them."""
    text_edits: list[Edit] = []
    for change in changes:
        if isinstance(change, Add) or not change.value.nodes:
            return None
        node = change.value.nodes[-1]
        if isinstance(change, Remove):
            text_edits.append(_removal(document, node))
        else:
            text_edits.append(Edit(node.span, change.new))
    return tuple(text_edits)


def _removal(document: Document, node: Node) -> Edit:
    """The edit that removes an instruction with its line, or a word with the blanks behind it."""
    text, root = document.source.text, document.tree.root
    start, end = node.span
    if root is None or all(node is not instruction for instruction in root.items):
        while end < len(text) and text[end] in " \t":
            end += 1
        return Edit(Span(start, end), "")
    start = line_start(text, start)
    while end < len(text) and text[end] in " \t":
        end += 1
    if text.startswith("\r\n", end):
        end += 2
    elif end < len(text):
        end += 1
    return Edit(Span(start, end), "")


can = _defaults.by_edits(edits)
