"""Escapes text from a repository or a sandbox for places that render markup, so that it stays text.

Every surface that shows such words goes through one of these: an editor's messages, hovers and lenses, pages,
reports. Text for a terminal goes through `cli.terminal`."""

from __future__ import annotations

import re
from html import escape

from sandboxd.screen import visible

_ACTIVE = re.compile(r"[\[<]|://|www\.")
_SPECIAL = re.compile(r"([\\`*_{}\[\]<>()#+!|~&]|(?<=www)\.|:(?=//))")


def in_message(text: str) -> str:
    """`text` for plain text in which some programs look for links: messages, findings, progress.

    VS Code makes a button of `[label](command:...)` in a notification, and viewers of SARIF a link. Where
    such a text shows a backslash as it is, there is no escape, so label and target are separated by a blank.
    What drives a terminal, or turns the order of letters round, becomes its code point: some editors are
    programs in a terminal.
    """
    return visible(text, "\n\t").replace("](", "] (")


def in_label(text: str) -> str:
    """`text` escaped for a code lens, in which `$(name)` is an icon."""
    return in_message(text).replace("$(", "$ (")


def in_markdown(text: str) -> str:
    """`text` with Markdown's links, images and HTML escaped, and backticks kept.

    A value between backticks may hold some itself, and an image that is shown is one that is loaded.
    """
    return _SPECIAL.sub(r"\\\1", text) if _ACTIVE.search(text) else text


def in_cell(text: str) -> str:
    """`text` escaped for a cell of a Markdown table."""
    plain = _printable(text)
    for mark in "\\|<>`[]*_":
        plain = plain.replace(mark, f"&#{ord(mark)};")
    return plain


def in_html(value: object) -> str:
    """`text` escaped for an element or an attribute of HTML."""
    return escape(_printable(str(value)))


def _printable(text: str) -> str:
    return "".join(char if char.isprintable() else " " for char in text)
