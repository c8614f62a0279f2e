"""Splits a command into words as a POSIX shell does, in time that grows with its length alone."""

from __future__ import annotations

import re

_SPACE = re.compile(r"[ \t\r\n]+")
_PART = re.compile(
    r"""(?P<plain>[^ \t\r\n'"\\]+)"""
    r"""|'(?P<single>[^']*)'"""
    r"""|"(?P<double>(?:[^"\\]|\\.)*+)\""""
    r"""|\\(?P<escaped>.)""",
    re.DOTALL,
)
_IN_DOUBLE = re.compile(r"""\\(["\\])""")


def split(text: str) -> list[str]:
    """Return the words of `text`, equal to those of `shlex.split`, which takes a quadratic time for a long word.

    :raises ValueError: a quotation is not closed, or the last character is a backslash that escapes nothing
    """
    words: list[str] = []
    at, parts = 0, list[str]()
    is_word = False
    while at < len(text):
        if space := _SPACE.match(text, at):
            if is_word:
                words.append("".join(parts))
                parts, is_word = [], False
            at = space.end()
            continue
        part = _PART.match(text, at)
        if part is None:
            raise ValueError("No escaped character" if text[at] == "\\" else "No closing quotation")
        is_word = True
        at = part.end()
        if part["double"] is not None:
            parts.append(_IN_DOUBLE.sub(r"\1", part["double"]))
        else:
            parts.append(part["plain"] or part["single"] or part["escaped"] or "")
    if is_word:
        words.append("".join(parts))
    return words
