"""The tree that all our parsers build: nodes with their places in the text.

A parser never raises on text: what it could not read becomes a :class:`Problem`, and everything outside the
broken part is in the tree."""

from __future__ import annotations

import gc
from functools import cached_property
from typing import TYPE_CHECKING, NamedTuple

from sandboxd.text import Span

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator
    from typing import Literal

    NodeKind = Literal[
        "object", "array", "string", "number", "boolean", "null", "datetime", "missing", "alias"
    ]


class Problem(NamedTuple):
    """Text that is not valid in its language; `message` is lower-case, without full stop.

    `code` names a kind of problem that is reported under its own name (``duplicate-key``).
    """

    span: Span
    message: str
    code: str = ""


class Node:
    """One value of a config file.

    `span` covers the value as written, quotes and brackets included. `value` is the decoded
    scalar (str, int, float, bool, None; for datetime its text), None for containers, the node that is
    meant for an alias. `items` are
    the elements of an array; `members` the properties of an object in file order, duplicates
    kept. Children lie within the span of their parent and do not overlap.
    """

    __slots__ = ("items", "kind", "members", "span", "value")

    def __init__(self, kind: NodeKind, span: Span, value: object = None) -> None:
        self.kind: NodeKind = kind
        self.span = span
        self.value = value
        self.items: list[Node] = []
        self.members: list[Member] = []

    def get(self, key: str) -> Node | None:
        """The value of a property, as `member` finds it."""
        member = self.member(key)
        return None if member is None else member.value

    def member(self, key: str) -> Member | None:
        """The property named `key`; of duplicates the last that has a value, as other parsers take it."""
        last = None
        for member in self.members:
            if member.key.value == key and (last is None or member.value.kind != "missing"):
                last = member
        return last

    def text(self) -> str | None:
        """The value when this is a string, else None."""
        return self.value if isinstance(self.value, str) and self.kind == "string" else None

    def __repr__(self) -> str:
        return f"Node({self.kind}, {self.span.start}-{self.span.end}, {self.value!r})"

    def inside(self) -> Span:
        """The place of the text between the quotes of a string, which may be half-typed."""
        start, end = self.span
        return Span(start + 1, max(start + 1, end - 1))


class Member(NamedTuple):
    """A property of an object: `key` is a string node, `value` is kind "missing" if not typed yet."""

    key: Node
    value: Node


class Comment(NamedTuple):
    """A comment as written, its marks included."""

    span: Span


class NotInTreeError(Exception):
    """An edit is asked for a node that the tree at hand does not hold."""

    def __init__(self, node: Node) -> None:
        written = f" `{readable(str(node.value))}`" if node.text() is not None else ""
        super().__init__(f"the {node.kind}{written} is not written in this text as one value")


class Parents:
    """The parent of each node of a tree, since nodes have references to their children only.

    Without a reference upwards no node is part of a cycle, so a tree is freed as soon as nobody refers to it.
    """

    __slots__ = ("_by_id",)

    def __init__(self, roots: Iterable[Node]) -> None:
        self._by_id: dict[int, Node | None] = {}
        for root in roots:
            self._by_id[id(root)] = None
            for node in walk(root):
                self._by_id.update((id(item), node) for item in node.items)
                for member in node.members:
                    self._by_id[id(member.key)] = self._by_id[id(member.value)] = node

    def of(self, node: Node) -> Node | None:
        """The array or object that holds `node`, None for a root.

        :raises NotInTreeError: `node` is of another tree, or was laid together of several nodes
        """
        try:
            return self._by_id[id(node)]
        except KeyError:
            raise NotInTreeError(node) from None

    def member(self, node: Node) -> tuple[Node, Member] | None:
        """The object that `node` is a key or value of, with that property; None for other places.

        :raises NotInTreeError: as `of`
        """
        parent = self.of(node)
        for member in parent.members if parent is not None else ():
            if (member.value is node or member.key is node) and parent is not None:
                return parent, member
        return None

    def widened(self, nodes: Iterable[Node]) -> list[Node]:
        """`nodes` to remove, where all items of a list within an item are replaced by that item.

        So no rule without names stays, and no group of hooks without a hook.

        :raises NotInTreeError: as `of`
        """
        whole: dict[int, Node] = {}
        waiting = {id(node): node for node in nodes}
        while waiting:
            arrays: dict[int, tuple[Node, dict[int, Node]]] = {}
            for node in waiting.values():
                parent = self.of(node)
                if parent is not None and parent.kind == "array":
                    arrays.setdefault(id(parent), (parent, {}))[1][id(node)] = node
                else:
                    whole[id(node)] = node
            waiting = {}
            for array, items in arrays.values():
                owner = self.of(array)
                around = self.of(owner) if owner is not None else None
                is_item = around is not None and around.kind == "array"
                if owner is not None and is_item and len(items) == len(array.items):
                    waiting[id(owner)] = owner
                else:
                    whole.update(items)
        return list(whole.values())


class _Tree(NamedTuple):
    root: Node | None
    problems: tuple[Problem, ...]
    comments: tuple[Comment, ...]
    others: tuple[Node, ...] = ()


class Tree(_Tree):
    """A parsed file: `root` is None when the text holds no value at all.

    `others` are the roots of the further documents of a YAML stream.
    """

    @cached_property
    def parents(self) -> Parents:
        """The parents of all nodes, computed when first asked for."""
        return Parents(root for root in (self.root, *self.others) if root is not None)


def walk(node: Node) -> Iterator[Node]:
    """`node` and all nodes below it in file order, keys before their values; not recursive."""
    waiting = [node]
    while waiting:
        current = waiting.pop()
        yield current
        waiting.extend(reversed(current.items))
        for member in reversed(current.members):
            waiting.append(member.value)
            waiting.append(member.key)


def plain(node: Node) -> object:
    """The value as Python data: dict, list and scalars.

    Of duplicates the last that has a value; None where a value is missing.
    """
    values: dict[int, object] = {}
    for current in reversed(list(walk(node))):
        if current.kind == "array":
            values[id(current)] = [values.pop(id(item)) for item in current.items]
        elif current.kind == "object":
            table: dict[str, object] = {}
            for key, value in current.members:
                name, data = str(key.value), values.pop(id(value))
                if value.kind != "missing" or name not in table:
                    table[name] = data
            values[id(current)] = table
        else:
            values[id(current)] = current.value
    return values[id(node)]


class collector_paused:
    """Pauses garbage collection while a large text of `size` characters is parsed.

    The collector would look at every new node again and again, which more than doubles the time. Not by
    `contextlib`, whose import takes as long as parsing a usual file.
    """

    __slots__ = ("is_paused",)

    def __init__(self, size: int) -> None:
        self.is_paused = size >= 50_000 and gc.isenabled()

    def __enter__(self) -> None:
        if self.is_paused:
            gc.disable()

    def __exit__(self, *_: object) -> None:
        if self.is_paused:
            gc.enable()


def readable(text: str, limit: int = 60) -> str:
    """`text` for use in a message: cut at `limit`, without unprintable characters."""
    if len(text) > limit:
        text = text[: limit - 1] + "…"
    if text.isprintable():
        return text
    return "".join(char if char.isprintable() else f"\\u{ord(char):04x}" for char in text)
