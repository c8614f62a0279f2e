"""Tables and lists of TOML while they are being built."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from sandboxd.syntax.node import Node, walk
from sandboxd.text import Span

if TYPE_CHECKING:
    from typing import Literal

MAX_DEPTH = 200


class TooDeepError(Exception):
    """The statement would exceed MAX_DEPTH levels of nesting, so it is left out."""


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


def extend(node: Node, end: int) -> None:
    """Extend the span of `node` so that it reaches `end`."""
    if node.span.end < end:
        node.span = Span(node.span.start, end)


def enclose(root: Node) -> None:
    """Extend the span of every table and list to the end of its content, innermost first."""
    for node in reversed([node for node in walk(root) if isinstance(node, Container)]):
        ends = [item.span.end for item in node.items]
        ends += [max(key.span.end, value.span.end) for key, value in node.members]
        extend(node, max(ends, default=0))
