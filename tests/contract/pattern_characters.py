"""The characters that a set of a regular expression has, as bits of a number."""

from __future__ import annotations

import functools
import re
from collections.abc import Callable, Iterator
from re import _constants as codes  # type: ignore[attr-defined]
from re import _parser  # type: ignore[attr-defined]
from typing import Any

_BYTES = tuple(map(chr, range(256)))
# One of each kind that folding and categories of Unicode tell apart.
_TEXTS = (*_BYTES, *"\u0130\u017f\u0660\u2028\u4e2d\U0001f600")
_SET_FLAGS = re.IGNORECASE | re.DOTALL | re.ASCII
_CATEGORIES = {
    codes.CATEGORY_WORD: r"\w",
    codes.CATEGORY_NOT_WORD: r"\W",
    codes.CATEGORY_DIGIT: r"\d",
    codes.CATEGORY_NOT_DIGIT: r"\D",
    codes.CATEGORY_SPACE: r"\s",
    codes.CATEGORY_NOT_SPACE: r"\S",
}


def alphabet(tree: Any, is_bytes: bool) -> tuple[str, ...]:
    """The characters that stand for all that a pattern with this parse tree may meet."""
    if is_bytes:
        return _BYTES
    return _TEXTS + tuple(sorted({chr(code) for code in _numbers(tree) if 256 <= code < 0x110000}))


def mask(items: list[Any], flags: int, characters: tuple[str, ...]) -> int:
    """The characters of a set, given as the items of its parse tree."""
    return _mask(_expression(items), flags & int(_SET_FLAGS), characters)


@functools.cache
def _mask(expression: str, flags: int, characters: tuple[str, ...]) -> int:
    fits = re.compile(expression, flags).fullmatch
    return sum(1 << at for at, character in enumerate(characters) if fits(character))


def _expression(items: list[Any]) -> str:
    """A pattern of one character of the set, for any text."""
    code = items[0][0]
    if code is codes.ANY:
        return "."
    text = "".join(_spelled(each, value) for each, value in items)
    return f"[{'^' if code in (codes.NEGATE, codes.NOT_LITERAL) else ''}{text}]"


def _spelled(code: Any, value: Any) -> str:
    if code in (codes.LITERAL, codes.NOT_LITERAL):
        return f"\\U{value:08x}"
    if code is codes.RANGE:
        return f"\\U{value[0]:08x}-\\U{value[1]:08x}"
    return _CATEGORIES.get(value, "")


def _numbers(tree: Any) -> Iterator[int]:
    if isinstance(tree, int):
        yield int(tree)
    elif isinstance(tree, (tuple, list, _parser.SubPattern)):
        for each in tree:
            yield from _numbers(each)


def one_character(items: list[Any]) -> list[Any] | None:
    """The items of the set of a part that reads one character; None for any other part."""
    while len(items) == 1 and items[0][0] is codes.SUBPATTERN:
        items = list(items[0][1][3])
    if len(items) != 1:
        return None
    code, value = items[0]
    if code is codes.IN:
        return list(value)
    return items if code in (codes.LITERAL, codes.NOT_LITERAL, codes.ANY) else None


def first_of_rounds(items: list[Any], find: Callable[[list[Any]], int]) -> int:
    """The characters that surely begin, and end, another round of a repetition with these items.

    :param find: the mask of a set
    """
    own = one_character(items)
    if own is not None:
        return find(own)
    if len(items) != 1:
        return 0
    code, value = items[0]
    if code is codes.SUBPATTERN:
        return first_of_rounds(list(value[3]), find)
    if code is codes.BRANCH:
        masks = [first_of_rounds(list(each), find) for each in value[1]]
        return functools.reduce(int.__or__, masks)
    if code in (codes.MAX_REPEAT, codes.MIN_REPEAT, codes.POSSESSIVE_REPEAT) and value[0] <= 1:
        return first_of_rounds(list(value[2]), find)
    return 0
