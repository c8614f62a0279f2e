"""Plain scalars of YAML 1.2's core schema, as Go's parser reads them."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from sandboxd.syntax.node import NodeKind
    from sandboxd.text import Span

_NULL = ("", "~", "null", "Null", "NULL")
_TRUE = ("true", "True", "TRUE")
_FALSE = ("false", "False", "FALSE")
_INTEGER = re.compile(r"[-+]?(?:0o?[0-7]+|0x[0-9a-fA-F]+|0b[01]+|0|[1-9][0-9]*)\Z")
_FLOAT = re.compile(r"[-+]?(?:\.[0-9]+|[0-9]+(?:\.[0-9]*)?)(?:[eE][-+]?[0-9]+)?\Z")
_OTHER = {".inf": "inf", "+.inf": "inf", "-.inf": "-inf", ".nan": "nan"}
# Longer digits are no number of a config, and Python refuses to convert thousands of them.
_LONGEST = 40


def resolve(text: str, span: Span) -> tuple[NodeKind, Span, object]:
    """The kind, span and value of a plain scalar."""
    if text in _NULL:
        return "null", span, None
    if text in _TRUE:
        return "boolean", span, True
    if text in _FALSE:
        return "boolean", span, False
    if text[0] in "+-.0123456789" and len(text) <= _LONGEST:
        digits = text.replace("_", "")
        if _INTEGER.match(digits):
            return "number", span, _integer(digits)
        if _FLOAT.match(digits):
            return "number", span, float(digits)
        if text.lower() in _OTHER:
            return "number", span, float(_OTHER[text.lower()])
    return "string", span, text


def _integer(text: str) -> int:
    """The number in `text`; `017` is octal to Go's parser, as `0o17` is."""
    sign = -1 if text[0] == "-" else 1
    digits = text.lstrip("+-")
    if len(digits) > 1 and digits[0] == "0" and digits[1] in "01234567":
        return sign * int(digits, 8)
    return sign * int(digits, 0)


def binary(text: str) -> str:
    """Decode the text of a ``!!binary`` scalar; text that is not base64 is returned unchanged."""
    import base64
    import binascii

    try:
        return base64.b64decode("".join(text.split()), validate=True).decode("utf-8", "replace")
    except (binascii.Error, ValueError):
        return text
