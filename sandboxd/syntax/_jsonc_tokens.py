"""The tokens of JSON with comments, and the value of a single one."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, NamedTuple

from sandboxd.syntax.node import readable

if TYPE_CHECKING:
    from sandboxd.syntax.node import NodeKind

# Tried in this order after ASCII white space; OTHER takes any single character, so that a match
# fails only at the end of the text. VERBOSE is not used: it takes a third longer to compile.
TOKEN = re.compile(
    r"[ \t\r\n]*+(?:"
    r'("(?:[^"\\\r\n]++|\\[^\r\n]?)*+")'
    r"|([{}\[\],:])"
    r"""|([^\s"'{}\[\],:/\x00-\x20\x7f-\xa0\u200b-\u200f\u2028-\u202f\u2060\ufeff]++)"""
    r"|(//[^\r\n]*+)"
    r"|(/\*)"
    r'|("(?:[^"\\\r\n]++|\\[^\r\n]?)*+)'
    r"""|('[^'"\r\n]*+')"""
    r"|(.))",
    re.DOTALL,
)
STRING, MARK, WORD, LINE_COMMENT, BLOCK_COMMENT, OPEN_STRING, SINGLE_QUOTED, OTHER = range(1, 9)

_WHITE = " \t\r\n"
MERGE_MARK = "a merge was not finished here: keep one side, and remove its marks"

# The patterns below are compiled on first use, since that is slow and small files seldom need them.
_NUMBER = r"-?(?:0|[1-9][0-9]*)(\.[0-9]+)?([eE][+-]?[0-9]+)?"
_ESCAPE = r"""(?xs)\\(?:
      u([dD][89abAB][0-9a-fA-F]{2})\\u([dD][c-fC-F][0-9a-fA-F]{2})
    | u([0-9a-fA-F]{4})
    | u[0-9a-fA-F]{0,3}
    | (.?)
    )"""
_SIMPLE_ESCAPES = {
    '"': '"', "\\": "\\", "/": "/", "b": "\b", "f": "\f", "n": "\n", "r": "\r", "t": "\t",
}  # fmt: skip
_CONTROL = r"[\x00-\x1f]"
_HALF_PAIR = "[\ud800-\udfff]"


def colon_ahead(text: str, at: int) -> bool:
    """Whether a colon comes next, after white space."""
    while text[at : at + 1] in _WHITE and at < len(text):
        at += 1
    return text[at : at + 1] == ":"


class Scalar(NamedTuple):
    kind: NodeKind
    value: object


_LITERALS = {
    "true": Scalar("boolean", True),
    "false": Scalar("boolean", False),
    "null": Scalar("null", None),
}


class Fault(NamedTuple):
    """An error within a string, with its place in the text between the quotes."""

    start: int
    end: int
    message: str


def word(text: str) -> Scalar | None:
    """The value of a word without quotes; None if it is not a word of JSON."""
    scalar = _LITERALS.get(text)
    if scalar is None and (match := re.fullmatch(_NUMBER, text)):
        return Scalar("number", float(text) if match.lastindex else _integer(text))
    return scalar


def number_ahead(text: str) -> Scalar | None:
    """The number with which a word begins, which other parsers use as its value; None if it begins with none."""
    match = re.match(_NUMBER, text)
    return None if match is None else word(match[0])


def _integer(text: str) -> int | float:
    try:
        return int(text)
    except ValueError:  # more digits than Python converts
        return float(text)


def about_word(text: str) -> str:
    """The message for a word that is not a JSON value."""
    shown = readable(text)
    if text in ("<<<<<<<", "|||||||", "=======", ">>>>>>>"):
        return MERGE_MARK
    if text.startswith("#"):
        return "JSON has no `#` comments: write `//`"
    if text.lower() in _LITERALS:
        return f"`{shown}` is not a JSON value: write `{text.lower()}`"
    if text[0].isdigit() or text[0] in "+-.":
        return f"`{shown}` is not a JSON number: put text in double quotes"
    return f"`{shown}` is not a JSON value: put text in double quotes"


def string(raw: str) -> tuple[str, list[Fault]]:
    """Decode the text between two quotes; return its value and its errors.

    An invalid escape is left out, as in jsonc-parser. Half a surrogate pair becomes U+FFFD, as Python could not encode
    it as UTF-8.
    """
    faults: list[Fault] = []
    if not raw.isprintable():
        if control := re.search(_CONTROL, raw):
            escape = "\\t" if control[0] == "\t" else f"\\u{ord(control[0]):04x}"
            message = f"write this control character as `{escape}`"
            faults.append(Fault(control.start(), control.end(), message))
        raw = re.sub(_HALF_PAIR, "\ufffd", raw)
    if "\\" not in raw:
        return raw, faults
    parts: list[str] = []
    at = 0
    for match in re.finditer(_ESCAPE, raw):
        parts.append(raw[at : match.start()])
        at = match.end()
        high, low, unit, char = match.groups()
        if high is not None:
            point = 0x10000 + ((int(high, 16) & 0x3FF) << 10) + (int(low, 16) & 0x3FF)
            parts.append(chr(point))
        elif unit is not None and not 0xD800 <= int(unit, 16) <= 0xDFFF:
            parts.append(chr(int(unit, 16)))
        elif char is not None and char in _SIMPLE_ESCAPES:
            parts.append(_SIMPLE_ESCAPES[char])
        else:
            if unit is not None:
                parts.append("\ufffd")
            faults.append(Fault(match.start(), at, _about_escape(match[0], unit, char)))
    parts.append(raw[at:])
    return "".join(parts), faults


def _about_escape(escape: str, unit: str | None, char: str | None) -> str:
    shown = readable(escape)
    if unit is not None:
        return f"`{shown}` is half of a surrogate pair"
    if char is None:
        return f"`{shown}` needs four hexadecimal digits"
    return f"`{shown}` is not an escape of JSON"


_NAMES = {
    "\xa0": "no-break space", "\ufeff": "byte order mark", "\u200b": "zero-width space",
    "\u2028": "line separator", "\u2029": "paragraph separator", "\x00": "NUL",
}  # fmt: skip


def describe(char: str) -> str:
    """A character for a message: itself if it is printable, otherwise its code point."""
    if char.isprintable() and not char.isspace():
        return f"`{char}`"
    name = _NAMES.get(char)
    return f"U+{ord(char):04X}" + (f" ({name})" if name else "")
