"""Errors of TOML that the standard library's parser finds, in words for people."""

from __future__ import annotations

import re

from sandboxd.syntax.node import Problem
from sandboxd.text import Span

_PLACE = re.compile(r"(.*) \(at (?:line ([0-9]+), column ([0-9]+)|end of document)\)", re.DOTALL)

# Beginnings of tomllib's messages; the name of the table or key is in the marked text.
_WORDS = (
    ("Cannot declare", "this table is already declared or set"),
    ("Cannot redefine namespace", "this table is already declared"),
    ("Cannot overwrite a value", "this key is already set in this table"),
    ("Cannot mutate immutable namespace", "an inline table or a list cannot be added to here"),
    ("Duplicate inline table key", "this key is set twice in this inline table"),
    ("Invalid statement", "expected a key, a `[table]` or a comment"),
    ("Invalid initial character for a key part", "expected a key"),
    ("Expected '=' after a key", "expected `=` and a value after this key"),
    ("Expected ']", "this header is not closed"),
    ("Expected newline or end of document", "expected the end of the line after this value"),
    ("Unterminated string", "this string is not closed"),
    ("Unescaped '\\'", "this string holds a `\\` that begins no escape: write `\\\\`"),
    ("Escaped character is not", "this string holds an escape that is no character"),
    ("Invalid hex value", "this string holds an escape with too few hexadecimal digits"),
    ("Invalid date or datetime", "this is not a date or time of the calendar"),
    ("Unclosed array", "this list is not closed"),
    ("Unclosed inline table", "this inline table is not closed"),
    ("Illegal character", "a control character must be written as an escape"),
    ("Found invalid character", "a control character is not allowed here"),
    ("Invalid value", "this is not a TOML value: put text in double quotes"),
)


def first_problem(text: str) -> Problem | None:
    """The first reason why `text` is not TOML 1.0, placed at the start of its line; None if it is valid.

    tomllib reports where it stopped reading, which is seldom where the error begins.
    """
    import tomllib

    try:
        tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        match = _PLACE.fullmatch(str(error))
        message = match[1] if match else str(error)
        line = int(match[2]) - 1 if match and match[2] else None
        return Problem(_line_span(text, line), _reword(message))
    except ValueError:  # more digits than Python converts
        return Problem(_line_span(text, 0), "a number in this file is too large")
    except RecursionError:
        return Problem(_line_span(text, 0), "lists in this file are nested too deeply")
    return None


def _reword(message: str) -> str:
    for beginning, words in _WORDS:
        if message.startswith(beginning):
            return words
    return message[:1].lower() + message[1:].rstrip(".")


def _line_span(text: str, line: int | None) -> Span:
    """The text of a zero-based line without white space around it; None stands for the last line."""
    if line is None:
        end = len(text.rstrip())
        start = text.rfind("\n", 0, end) + 1
    else:
        start = 0
        for _ in range(line):
            start = text.find("\n", start) + 1
        end = text.find("\n", start)
        end = len(text) if end < 0 else end
    written = text[start:end]
    start += len(written) - len(written.lstrip())
    return Span(start, max(start, start + len(written.strip())))
