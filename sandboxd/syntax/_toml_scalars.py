"""Parses the scalars of TOML: from the text of one to its kind and value."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, NamedTuple

from sandboxd.syntax.node import readable

if TYPE_CHECKING:
    from sandboxd.syntax.node import NodeKind

_DATE = r"[0-9]{4}-[0-9]{2}-[0-9]{2}"
_TIME = r"[0-9]{2}:[0-9]{2}:[0-9]{2}(?:\.[0-9]+)?"
_DATETIME = re.compile(rf"{_DATE}(?:[Tt ]{_TIME}(?:[Zz]|[+-][0-9]{{2}}:[0-9]{{2}})?)?|{_TIME}")
_INTEGER = re.compile(
    r"[+-]?(?:0|[1-9](?:_?[0-9])*)"
    r"|0x[0-9A-Fa-f](?:_?[0-9A-Fa-f])*|0o[0-7](?:_?[0-7])*|0b[01](?:_?[01])*"
)
_FLOAT = re.compile(
    r"[+-]?(?:(?:0|[1-9](?:_?[0-9])*)"
    r"(?:\.[0-9](?:_?[0-9])*(?:[eE][+-]?[0-9](?:_?[0-9])*)?|[eE][+-]?[0-9](?:_?[0-9])*)"
    r"|inf|nan)"
)
_ESCAPE = re.compile(
    r"\\(?:u([0-9A-Fa-f]{4})|U([0-9A-Fa-f]{8})|([ \t]*\n[ \t\n]*)|(.?))", re.DOTALL
)
_SIMPLE = {
    "b": "\b", "t": "\t", "n": "\n", "f": "\f", "r": "\r", '"': '"', "\\": "\\",
}  # fmt: skip


_NOT_A_TIME = "this is not a date or time of the calendar"


class Scalar(NamedTuple):
    """A value, and its errors."""

    kind: NodeKind
    value: object
    problem: str | None = None


def word(text: str) -> Scalar:
    """The value of a word without quotes: a boolean, a number, a date or time, or an error."""
    if text in ("true", "false"):
        return Scalar("boolean", text == "true")
    if _INTEGER.fullmatch(text):
        base = {"x": 16, "o": 8, "b": 2}.get(text[1:2], 10)
        try:
            return Scalar("number", int(text.replace("_", ""), base))
        except ValueError:  # more digits than Python converts
            return Scalar("missing", None, "this number is too large")
    if _FLOAT.fullmatch(text):
        return Scalar("number", float(text.replace("_", "")))
    if _DATETIME.fullmatch(text):
        return Scalar("datetime", text, None if _is_on_calendar(text) else _NOT_A_TIME)
    shown = readable(text)
    if text.lower() in ("true", "false"):
        return Scalar("missing", None, f"`{shown}` is not a TOML value: write `{text.lower()}`")
    return Scalar("missing", None, f"`{shown}` is not a TOML value: put text in double quotes")


def _is_on_calendar(text: str) -> bool:
    from datetime import date, datetime, time

    reader = time if text[2] == ":" else date if len(text) == 10 else datetime
    try:
        reader.fromisoformat(text.upper())
    except ValueError:
        return False
    return True


def string(text: str) -> Scalar:
    """The value of a closed string of any of the four kinds."""
    quote, is_long = text[0], len(text) >= 6 and text[1] == text[0] == text[2]
    inner = text[3:-3] if is_long else text[1:-1]
    if is_long:
        inner = inner.replace("\r\n", "\n").removeprefix("\n")
    if quote == "'" or "\\" not in inner:
        return Scalar("string", inner)
    return _unescape(inner, is_long=is_long)


def _unescape(inner: str, *, is_long: bool) -> Scalar:
    parts: list[str] = []
    problem: str | None = None
    at = 0
    for match in _ESCAPE.finditer(inner):
        parts.append(inner[at : match.start()])
        at = match.end()
        short, long, line_end, char = match.groups()
        point = int(short or long, 16) if short or long else -1
        if 0 <= point <= 0x10FFFF and not 0xD800 <= point <= 0xDFFF:
            parts.append(chr(point))
        elif char is not None and char in _SIMPLE:
            parts.append(_SIMPLE[char])
        elif line_end is None or not is_long:
            if point >= 0:
                parts.append("\ufffd")
            problem = problem or f"`{readable(match[0])}` is not an escape of TOML"
    parts.append(inner[at:])
    return Scalar("string", "".join(parts), problem)
