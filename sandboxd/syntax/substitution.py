"""Expands ``${...}`` as the shell, Compose and Dockerfiles write it, with nested defaults."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Callable

# Compiled when there is something to replace: most texts have nothing.
_MARK = r"\$\$|\$\{|\}|\$([A-Za-z_][A-Za-z0-9_]*)"
_NAME = r"([A-Za-z_][A-Za-z0-9_]*)(:?[-?+])?"
# Defaults within defaults; what is deeper stays as it is written.
_DEEPEST = 8
# How much the values of variables may add to a text: they may hold each other many times over.
_MOST_ADDED = 16_000
# A variable that `substitute` leaves, whatever it was written with.
_LEFT = re.compile(r"\$\{([A-Za-z_][A-Za-z0-9_]*)\}")
# Stands for a dollar sign that begins no variable: no text of a config holds it.
_DOLLAR = "\0"


class Filled(NamedTuple):
    """A text with its variables expanded, and the names of those that are not set."""

    text: str
    unset: tuple[str, ...] = ()


def fill(text: str, lookup: Callable[[str], str | None]) -> Filled:
    """`text` as Compose passes it to a program: unset variables are empty, and `$$` is a dollar sign.

    :param lookup: returns a variable's value; None if it is not set
    :raises ValueError: a required variable (`${NAME:?}`) is not set, or a dollar sign does not begin a variable
    """

    def value_of(name: str) -> str | None:
        value = lookup(name)
        return None if value is None else value.replace("$", _DOLLAR)

    left = substitute(text.replace("$$", _DOLLAR), value_of)
    unset = tuple(dict.fromkeys(_LEFT.findall(left)))
    for name in unset:
        if re.search(rf"\$\{{{name}:?\?", text):
            raise ValueError(f"the variable `{name}`, which has to be set and is not")
    rest = _LEFT.sub("", left)
    if "$" in rest:
        raise ValueError("a dollar sign that begins no variable")
    return Filled(rest.replace(_DOLLAR, "$"), unset)


def substitute(text: str, lookup: Callable[[str], str | None]) -> str:
    """`text` with its variables expanded; an unknown variable without a default is left as written.

    :param lookup: returns a variable's value; None if it is not known
    """
    if "$" not in text:
        return text
    budget = _MOST_ADDED

    def bounded(name: str) -> str | None:
        nonlocal budget
        value = lookup(name)
        budget -= len(value or "")
        return value if budget >= 0 else None

    return _expand(text, 0, len(text), _ends(text), bounded, _DEEPEST)


def _ends(text: str) -> dict[int, int]:
    """The offset of the closing brace of every ``${``, by the offset of the latter."""
    ends: dict[int, int] = {}
    open_: list[int] = []
    for match in re.finditer(_MARK, text):
        if match[0] == "${":
            open_.append(match.start())
        elif match[0] == "}" and open_:
            ends[open_.pop()] = match.start()
    return ends


def _expand(
    text: str,
    start: int,
    end: int,
    ends: dict[int, int],
    lookup: Callable[[str], str | None],
    depth: int,
) -> str:
    parts: list[str] = []
    token = re.compile(_MARK)
    at = start
    while at < end:
        match = token.search(text, at, end)
        if match is None:
            break
        parts.append(text[at : match.start()])
        at = match.end()
        if match[0] == "$$":
            parts.append("$")
        elif match[1] is not None:
            value = lookup(match[1])
            parts.append(f"${{{match[1]}}}" if value is None else value)
        elif match[0] == "${" and match.start() in ends and depth > 0:
            close = ends[match.start()]
            parts.append(_expand_braces(text, at, close, ends, lookup, depth))
            at = close + 1
        else:
            parts.append(match[0])
    parts.append(text[at:end])
    return "".join(parts)


def _expand_braces(
    text: str,
    start: int,
    close: int,
    ends: dict[int, int],
    lookup: Callable[[str], str | None],
    depth: int,
) -> str:
    """The value of ``NAME``, ``NAME:-default``, ``NAME?error`` or ``NAME:+instead``.

    With a colon, an empty variable counts as not set.
    """
    match = re.compile(_NAME).match(text, start, close)
    if match is None or (match[2] is None and match.end() != close):
        return text[start - 2 : close + 1]
    name, operator = match[1], match[2] or ""
    value = lookup(name)
    is_set = value is not None and not (operator.startswith(":") and value == "")
    if operator.endswith("+"):
        if value is None:
            return f"${{{name}}}"
        return _expand(text, match.end(), close, ends, lookup, depth - 1) if is_set else ""
    if is_set and value is not None:
        return value
    if operator.endswith("-"):
        return _expand(text, match.end(), close, ends, lookup, depth - 1)
    return f"${{{name}}}" if value is None else value
