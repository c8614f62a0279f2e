"""Tables and lists of TOML while they are being built."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from sandboxd.syntax.node import Node
from sandboxd.text import Span

if TYPE_CHECKING:
    from typing import Literal

MAX_DEPTH = 200


class TooDeepError(Exception):
    """This statement would nest deeper than MAX_DEPTH; it is left out."""


class Container(Node):
    """A table or list under construction."""

    __slots__ = ("depth", "index", "is_declared", "is_fixed", "is_table_list")

    def __init__(self, kind: Literal["object", "array"], span: Span, depth: int) -> None:
        super().__init__(kind, span)
        if depth > MAX_DEPTH:
            raise TooDeepError
        self.depth = depth
        self.index: dict[str, Node] = {}
        self.is_declared = False  # has a header of its own
        self.is_fixed = False  # written as a value: no statement adds to it
        self.is_table_list = False


class Key(NamedTuple):
    text: str
    span: Span


def extend(node: Node | None, end: int) -> None:
    """Let `node` and all that it lies in reach to `end` at least."""
    while node is not None and node.span.end < end:
        node.span = Span(node.span.start, end)
        node = node.parent
