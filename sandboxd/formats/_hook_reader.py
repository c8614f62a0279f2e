"""Shared readers of the files of tools for git hooks: when a hook runs, and the lines of a script."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from sandboxd.findings import Place
from sandboxd.formats import _agent_reader
from sandboxd.model.host_hooks import HostCommand
from sandboxd.model.values import Origin, Value
from sandboxd.text import Span

if TYPE_CHECKING:
    from collections.abc import Iterator

    from sandboxd.syntax.node import Node
    from sandboxd.text import SourceText

# https://git-scm.com/docs/githooks
OCCASIONS = {
    "applypatch-msg": "with each patch of a mail",
    "commit-msg": "with the message of each commit",
    "post-checkout": "after each checkout and clone",
    "post-commit": "after each commit",
    "post-merge": "after each pull",
    "post-rewrite": "after each rebase",
    "pre-applypatch": "with each patch of a mail",
    "pre-auto-gc": "before git cleans up",
    "pre-commit": "before each commit",
    "pre-merge-commit": "before each merge",
    "pre-push": "before each push",
    "pre-rebase": "before each rebase",
    "prepare-commit-msg": "with the message of each commit",
}
# Words that end or part a block, tests, and what the shell does by itself with text.
_QUOTED = r"\"(?:[^`\"$\\]|\\.|\$(?!\())*\"|'[^']*'"
_STARTS_NOTHING = re.compile(
    r"(?:fi|done|else|then|do|esac|\{|\}|\)|;;|:|true)[\s;]*"
    rf"|(?:exit|return|shift|break|continue|set|unset)\b(?:\s+(?:{_QUOTED}|[\w$?.+-]+))*[\s;]*"
    rf"|(?:(?:export|local|readonly)\s+)?\w+=(?:{_QUOTED}|[^`$;&|()\s]*)"
    r"|trap(?:\s+[\w-]+)+"
    r"|(?:export|local|readonly)(?:\s+\w+)+"
    rf"|(?:echo|printf)\b(?:\s+(?:{_QUOTED}|[\w./:!-]+))*(?:\s*>&2)?"
    r"|[\w-]+\s*\(\)\s*\{?"
    r"|for\s+\w+\s+in\s[^`;&|()]*(?:;\s*(?:do)?)?"
    r"|(?:el)?if\s+(?:!\s*)?(?:\[\[?\s[^`(;&|]*\]\]?|command -v [\w.-]+(?:\s*&?>+\s*(?:/dev/null|&1)|\s+2>&1)*);?\s*(?:then)?"
)
# Each blank is read once: an attempt begins where blanks begin, or at a backslash behind what was read already.
_CONTINUED = re.compile(r"(?<!\s)\s*+\\\n\s*+|\\\n\s*+")
_MOST = 500
"""Commands of one file that are read: more than anybody writes by hand."""


def occasion(hook: str) -> str:
    """The occasion at which a hook of git runs, in words that follow "runs"."""
    return OCCASIONS.get(hook, f"at `{hook}`")


def commands(node: Node | None, path: str, key: str, when: str) -> Iterator[HostCommand]:
    """The command at `node`, or each in its list."""
    entries = node.items[:_MOST] if node is not None and node.kind == "array" else [node]
    for entry in entries:
        if entry is not None and entry.text():
            yield HostCommand(_agent_reader.value(entry, path, key), when)


def lines(source: SourceText, when: str) -> Iterator[HostCommand]:
    """The lines of a script that run something; a continued line is joined with the next."""
    start = count = 0
    while start < len(source.text) and count < _MOST:
        end = _end(source.text, start)
        text = source.text[start:end]
        first = start + len(text) - len(text.lstrip())
        shown = text.strip()
        if shown and not shown.startswith("#") and not _STARTS_NOTHING.fullmatch(shown):
            count += 1
            place = Place(source.path, Span(first, first + len(shown)))
            command = _CONTINUED.sub(" ", shown)
            yield HostCommand(Value(command, Origin("file", source.path), place, shown), when)
        start = end + 1


def _end(text: str, start: int) -> int:
    """The offset at which the line from `start` ends."""
    while True:
        end = text.find("\n", start)
        if end < 0:
            return len(text)
        if text[end - 1 : end] != "\\":
            return end
        start = end + 1
