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
from sandboxd.kinds import _defaults
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

_TEXT = r"\"(?:[^\"\\\n]|\\.)*\"|'(?:[^'\\\n]|\\.)*'"
_RULE = re.compile(rf"\bprefix_rule\(((?:[^()\"'#]|{_TEXT}|#[^\n]*)*+)\)")
_PATTERN = re.compile(
    rf"\bpattern\s*=\s*\[((?:[^\[\]\"']|{_TEXT}|\[(?:[^\[\]\"']|{_TEXT})*\])*+)\]"
)
_PART = re.compile(rf"{_TEXT}|\[(?:[^\[\]\"']|{_TEXT})*\]")
_DECISION = re.compile(r"\bdecision\s*=\s*[\"'](\w+)[\"']")
_COMMENT = re.compile(rf"({_TEXT})|#[^\n]*")
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
    for rule in islice(_RULE.finditer(_without_comments(source.text)), _MOST):
        decision, pattern = _DECISION.search(rule[1]), _PATTERN.search(rule[1])
        if pattern is None or (decision is not None and decision[1] != "allow"):
            continue
        for command in _commands(pattern[1]):
            if runs_anything(command):
                place = Place(source.path, Span(*rule.span()))
                value: Value[object] = Value(
                    command, Origin("file", source.path, "prefix_rule"), place, command
                )
                effect = (
                    f"runs any command behind `{command}` outside of its sandbox without asking"
                )
                yield Switch(value, effect, is_total=False)
                break


def _without_comments(text: str) -> str:
    """The text with blanks in place of its comments."""
    return _COMMENT.sub(lambda match: match[1] or " " * len(match[0]), text)


def _commands(pattern: str) -> list[str]:
    """The commands that a pattern fits, each with any words behind it; none where it has too many words."""
    parts = [re.findall(_TEXT, part[0]) for part in _PART.finditer(pattern)]
    if len(parts) > _MOST_WORDS:
        return []
    commands = [""]
    for part in parts:
        commands = [f"{command} {word[1:-1]}".strip() for command in commands for word in part]
        commands = commands[:_MOST_COMMANDS]
    return commands
