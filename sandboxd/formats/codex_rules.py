"""`.codex/rules/*.rules`: commands that Codex runs outside of its sandbox without asking, by their first words.

The language is Starlark, of which nothing is run: only `prefix_rule(...)` written out is read. What a rule does
not decide is allowed. Project rules hold once the folder is trusted.

Source: https://developers.openai.com/codex/rules.
"""

from __future__ import annotations

import re
from itertools import islice
from typing import TYPE_CHECKING

from sandboxd.findings import Place
from sandboxd.formats import _defaults
from sandboxd.model.agent import AgentConfig, Switch
from sandboxd.model.document import Document
from sandboxd.model.open_commands import runs_anything
from sandboxd.model.values import Origin, Value
from sandboxd.syntax.node import Tree
from sandboxd.text import Span

if TYPE_CHECKING:
    from collections.abc import Iterator

    from sandboxd.text import SourceText

NAME = "codex_rules"
NAMES = ("rules/*.rules",)
LANGUAGES: tuple[str, ...] = ()
COMMENT = "#"
WATCHED = ("**/.codex/rules/*.rules",)
LARGEST = _defaults.LARGEST
fits = _defaults.fits
recognises = _defaults.recognises
containers = _defaults.containers
edits = _defaults.no_edits
can = _defaults.by_edits(edits)

# A text that does not end goes to the end of its line: from each of its quotes it would be read again.
_TOKEN = re.compile(
    r"\"(?:[^\"\\\n]|\\.)*+(?P<end>\"?)|'(?:[^'\\\n]|\\.)*+(?P<other_end>'?)|#[^\n]*+|\w++|[^\s\w]"
)
_MOST = 500
"""Rules of one file that are read: more than anybody writes by hand."""
_MOST_WORDS = 3
"""Words of a command after which no further one makes it run anything."""
_MOST_COMMANDS = 50


def matches(path: str) -> bool:
    return path.endswith(".rules") and path.rpartition("/")[0].endswith(".codex/rules")


def parse(source: SourceText) -> Document:
    return Document(NAME, source, Tree(None, (), ()), "shell")


def subjects(document: Document) -> Iterator[tuple[str, object]]:
    path = document.source.path
    yield "AgentConfig", AgentConfig(path, "Codex", questions=tuple(_questions(document.source)))


def _questions(source: SourceText) -> Iterator[Switch]:
    for span, tokens in islice(_rules(source.text), _MOST):
        pattern = _list_of(tokens, "pattern")
        if pattern is None or _decision(tokens) not in ("", "allow"):
            continue
        for command in _commands(pattern):
            if runs_anything(command):
                place = Place(source.path, span)
                value: Value[object] = Value(
                    command, Origin("file", source.path, "prefix_rule"), place, command
                )
                effect = (
                    f"runs any command behind `{command}` outside of its sandbox without asking"
                )
                yield Switch(value, effect, is_total=False)
                break


def _rules(text: str) -> Iterator[tuple[Span, list[str]]]:
    """The calls of `prefix_rule`, each with its arguments as words, texts and marks."""
    called: int | None = None
    start: int | None = None
    inside: list[str] = []
    for match in _TOKEN.finditer(text):
        piece = match[0]
        if piece.startswith("#"):
            continue
        if piece == "(":
            start, inside = called, []
        elif start is not None:
            if piece == ")":
                yield Span(start, match.end()), inside
            if piece == ")" or "" in match.group("end", "other_end"):
                start = None
            inside.append(piece)
        called = match.start() if piece == "prefix_rule" else None


def _list_of(tokens: list[str], key: str) -> list[str] | None:
    """The tokens of the first list that is given as `key`, with those of lists in it; None if it does not end."""
    for at in range(len(tokens) - 2):
        if tokens[at : at + 3] == [key, "=", "["]:
            break
    else:
        return None
    depth = 1
    for end in range(at + 3, len(tokens)):
        depth += (tokens[end] == "[") - (tokens[end] == "]")
        if depth == 0:
            return tokens[at + 3 : end]
    return None


def _decision(tokens: list[str]) -> str:
    """The text that is given as `decision`; '' if there is none."""
    for at in range(len(tokens) - 2):
        if tokens[at : at + 2] == ["decision", "="] and tokens[at + 2][0] in "\"'":
            return tokens[at + 2][1:-1]
    return ""


def _commands(pattern: list[str]) -> list[str]:
    """The commands that a pattern fits, each with any words behind it; none where it has too many words."""
    parts: list[list[str]] = []
    depth = 0
    for piece in pattern:
        is_text = piece[0] in "\"'"
        if piece == "[" or (is_text and depth == 0):
            parts.append([])
        depth += (piece == "[") - (piece == "]")
        if is_text:
            parts[-1].append(piece)
    if len(parts) > _MOST_WORDS:
        return []
    commands = [""]
    for part in parts:
        commands = [f"{command} {word[1:-1]}".strip() for command in commands for word in part]
        commands = commands[:_MOST_COMMANDS]
    return commands
