"""The spellings of a name or path that servers take for the same. Pure.

The server is not known: where two servers could differ, the wider reading counts."""

from __future__ import annotations

import re
import unicodedata
from urllib.parse import unquote_to_bytes

_BAD_ESCAPE = re.compile(r"%(?![0-9A-Fa-f]{2})")
_ESCAPE = re.compile(r"%[0-9A-Fa-f]{2}")
_UNPRINTABLE = re.compile(r"[\x00-\x1f\x7f\\]")
_SEPARATOR = re.compile(r"[/\\]")
_PARAMETER_SEPARATOR = re.compile("[&;]")
_NO_FIELD_LETTER = re.compile("[^a-z0-9]")
_THREE_DOTS = re.compile(r"\.{3,}")


def field(name: str) -> str:
    """A header field's name as servers read it that turn fields into variables, which know letters, digits and `_`.

    In lower case, with `-` for everything else and none at its ends.
    """
    return _NO_FIELD_LETTER.sub("-", name.lower()).strip("-")


def parameter(name: str) -> str:
    """The letters and digits of a query parameter's name: servers may turn the rest into `_`."""
    return "".join(
        char for char in unicodedata.normalize("NFKC", name).casefold() if char.isalnum()
    )


def parameters(query: str) -> set[str]:
    """The names of a query's parameters, split at each separator that a server may know, as `parameter` has them.

    One with brackets is there with and without what is in them: `a[b]` is an `a` in some languages.
    """
    parts = _PARAMETER_SEPARATOR.split(query)
    encoded = (unquote_to_bytes(part.partition("=")[0].replace("+", " ")) for part in parts)
    names = [name.decode("utf-8", "replace") for name in encoded]
    return {parameter(each) for name in names for each in (name, name.partition("[")[0])}


def segments(path: str) -> tuple[list[str], list[str]] | None:
    """The segments of a percent-encoded path: split and then decoded, and the other way round; None if it is ambiguous."""
    if not path.startswith("/") or path.startswith("//") or _BAD_ESCAPE.search(path):
        return None
    try:
        decoded = unquote_to_bytes(path).decode("utf-8")
    except UnicodeDecodeError:
        return None
    # A server that takes wide letters for plain ones sees other dots, slashes and percent signs.
    plain = unicodedata.normalize("NFKC", decoded)
    if _UNPRINTABLE.search(decoded) or plain.startswith("//"):
        return None
    if _ESCAPE.search(decoded) or _ESCAPE.search(plain):
        return None
    if any(_is_dots(part) for text in (decoded, plain) for part in _SEPARATOR.split(text)):
        return None
    split_first = [unquote_to_bytes(part).decode("utf-8", "replace") for part in path.split("/")]
    return split_first[1:], decoded.split("/")[1:]


def _is_dots(segment: str) -> bool:
    """Whether a server could take a segment for the folder itself or the one above.

    Some take off what follows a semicolon, others what is at the end of a name and no letter (a space, a colon).
    """
    text = "".join(
        char for char in segment.partition(";")[0] if unicodedata.category(char)[0] not in "CZ"
    )
    if not text.startswith(".") or any(char.isalnum() for char in text):
        return False
    return not _THREE_DOTS.fullmatch(segment)
