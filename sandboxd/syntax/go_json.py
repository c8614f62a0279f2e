"""Reads a JSON tree as Go's `encoding/json` reads it into a struct.

Go matches the name of a field in any case, and merges repeated fields: of scalars the last one wins, objects
and the elements of arrays are merged, and `null` leaves text and numbers as they are (Go's `decode.go`)."""

from __future__ import annotations

from typing import TYPE_CHECKING

from sandboxd.syntax import jsonc
from sandboxd.syntax.node import Node, Problem, Tree, readable, walk

if TYPE_CHECKING:
    from collections.abc import Iterator

    from sandboxd.syntax.node import Member

# The two letters beyond ASCII that Go takes for one of it.
_TO_ASCII = str.maketrans({"\u017f": "s", "\u212a": "k"})
# No struct that is read this way has more levels.
_DEEPEST = 8


def parse(text: str) -> Tree:
    """The tree of `text`; keys that differ only in case are also reported as problems."""
    tree = jsonc.parse(text)
    if tree.root is None:
        return tree
    problems = [
        problem
        for node in walk(tree.root)
        if len(node.members) > 1
        for problem in _same_but_for_case(node)
    ]
    if not problems:
        return tree
    return tree._replace(problems=tuple(sorted((*tree.problems, *problems))))


def fold(name: str) -> str:
    """The name of a field in a form that ignores case, for comparing."""
    return name.translate(_TO_ASCII).lower()


def get(node: Node, name: str) -> Node | None:
    """The value of a field of a struct; None if it is missing."""
    folded = fold(name)
    value = None
    for member in node.members:
        if fold(str(member.key.value)) == folded:
            value = member.value if value is None else _overlay(value, member.value, _DEEPEST)
    return value


def members(node: Node) -> Iterator[tuple[str, Node]]:
    """Yield the fields of a struct, each once, with their names in lower case."""
    for name in dict.fromkeys(fold(str(member.key.value)) for member in node.members):
        value = get(node, name)
        if value is not None:
            yield name, value


def _overlay(below: Node, above: Node, depth: int) -> Node:
    if above.kind in ("null", "missing"):
        return below if below.kind in ("string", "number", "boolean") else above
    if below.kind != above.kind or above.kind not in ("object", "array") or depth == 0:
        return above
    both = Node(above.kind, above.span)
    both.members = [*below.members, *above.members]
    both.items = [
        _overlay(below.items[index], item, depth - 1) if index < len(below.items) else item
        for index, item in enumerate(above.items)
    ]
    return both


def _same_but_for_case(node: Node) -> Iterator[Problem]:
    """Problems for members that a later one replaces whose name differs only in case."""
    last: dict[str, Member] = {}
    for member in reversed(node.members):
        name = str(member.key.value)
        other = last.setdefault(fold(name), member)
        if other.key.value != name:
            shown, winner = readable(name), readable(str(other.key.value))
            message = f"`{shown}` is the same key as `{winner}` to its reader: the last one wins"
            yield Problem(member.key.span, message, "duplicate-key")
