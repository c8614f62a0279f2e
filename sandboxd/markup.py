"""Escapes text from a repository or a sandbox for places that render markup, so that it is shown as plain text.

Every output that shows such text uses one of these functions: an editor's messages, hovers and lenses, pages, reports.
Text for a terminal goes through `cli.terminal`.
"""

from __future__ import annotations

import re
from html import escape

from sandboxd.screen import visible

_ACTIVE = re.compile(r"[\[<]|://|www\.")
_SPECIAL = re.compile(r"([\\`*_{}\[\]<>()#+!|~&]|(?<=www)\.|:(?=//))")


def in_message(text: str) -> str:
    """`text` for plain-text messages in which some programs recognise links: messages, findings, progress.

    VS Code turns `[label](command:...)` in a notification into a button, and viewers of SARIF turn it into a link. As
    some of them show backslashes, it cannot be escaped, so a blank is put between label and target. Characters that
    control a terminal or reverse the direction of text are replaced by their code points, as some editors run in a
    terminal.
    """
    return visible(text, "\n\t").replace("](", "] (")


def in_label(text: str) -> str:
    """`text` escaped for a code lens, in which `$(name)` is an icon."""
    return in_message(text).replace("$(", "$ (")


def in_markdown(text: str) -> str:
    """`text` with Markdown's links, images and HTML escaped; backticks are kept.

    Values between backticks are escaped, too, since they may contain backticks, and an image that is rendered is
    loaded.
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
