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


UNREAD = "unread"


class Problem(NamedTuple):
    """A part of the text that is not valid in its language; `message` is in lower case, without a full stop.

    `code` is '' for such a part. It is set for kinds of problems that are reported under a name of their own
    (``duplicate-key``), and is `UNREAD` where a valid text is too large or too deep for us: the message says what of it
    there is too much of.
    """

    span: Span
    message: str
    code: str = ""


class Node:
    """One value of a config file.

    `span` covers the value as written, including quotes and brackets. `value` is the decoded scalar (str, int, float,
    bool, None; for a date its text), None for containers, and for an alias the node that it refers to. `items` are the
    elements of an array; `members` are the properties of an object in the order of the file, with duplicates. Children
    lie within the span of their parent and do not overlap.
    """

    __slots__ = ("items", "kind", "members", "span", "value")

    def __init__(self, kind: NodeKind, span: Span, value: object = None) -> None:
        self.kind: NodeKind = kind
        self.span = span
        self.value = value
        self.items: list[Node] = []
        self.members: list[Member] = []

    def get(self, key: str) -> Node | None:
        """The value of a property, chosen as in `member`; None if there is none."""
        member = self.member(key)
        return None if member is None else member.value

    def member(self, key: str) -> Member | None:
        """The property named `key`; of duplicates the last that has a value, as in other parsers. None if there is
        none.
        """
        last = None
        for member in self.members:
            if member.key.value == key and (last is None or member.value.kind != "missing"):
                last = member
        return last

    def text(self) -> str | None:
        """The value if this is a string, otherwise None."""
        return self.value if isinstance(self.value, str) and self.kind == "string" else None

    def __repr__(self) -> str:
        return f"Node({self.kind}, {self.span.start}-{self.span.end}, {self.value!r})"

    def inside(self) -> Span:
        """The span between the quotes of a string, even if the closing one is missing."""
        start, end = self.span
        return Span(start + 1, max(start + 1, end - 1))


class Member(NamedTuple):
    """A property of an object: `key` is a string node; the kind of `value` is "missing" if no value was typed yet."""

    key: Node
    value: Node


class Comment(NamedTuple):
    """A comment as written, including its marks."""

    span: Span


class NotInTreeError(Exception):
    """An edit was requested for a node that does not belong to the tree."""

    def __init__(self, node: Node) -> None:
        written = f" `{readable(str(node.value))}`" if node.text() is not None else ""
        super().__init__(f"the {node.kind}{written} is not written in this text as one value")


class Parents:
    """The parent of each node of a tree, as nodes only refer to their children.

    Nodes without a reference to their parent are in no cycle, so a tree is freed as soon as nothing refers to it.
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

        :raises NotInTreeError: `node` is of another tree, or was combined from several nodes
        """
        try:
            return self._by_id[id(node)]
        except KeyError:
            raise NotInTreeError(node) from None

    def member(self, node: Node) -> tuple[Node, Member] | None:
        """The property of which `node` is the key or value, with its object; None for other nodes.

        :raises NotInTreeError: as `of`
        """
        parent = self.of(node)
        for member in parent.members if parent is not None else ():
            if (member.value is node or member.key is node) and parent is not None:
                return parent, member
        return None

    def widened(self, nodes: Iterable[Node]) -> list[Node]:
        """`nodes` to be removed, but if all items of a list inside an item are among them, then that item instead.

        So no rule without names, and no group of hooks without a hook, is left over.

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
    """A parsed file; `root` is None if the text contains no value at all.

    `others` are the roots of the further documents of a YAML stream.
    """

    @property
    def errors(self) -> tuple[Problem, ...]:
        """The problems for which the text is not valid in its language: those without a code."""
        return tuple(problem for problem in self.problems if not problem.code)

    @property
    def unread(self) -> tuple[Problem, ...]:
        """The places from which on a part of the text is not in the tree, though it may be valid."""
        return tuple(problem for problem in self.problems if problem.code == UNREAD)

    @cached_property
    def parents(self) -> Parents:
        """The parents of all nodes; computed at the first call."""
        return Parents(root for root in (self.root, *self.others) if root is not None)


def walk(node: Node) -> Iterator[Node]:
    """Yield `node` and all nodes below it in the order of the file, keys before their values. Not recursive."""
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

    Of duplicates the last that has a value is used; a missing value is None.
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

    Otherwise the collector would examine the new nodes repeatedly, which more than doubles the time. It does not use
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
    """`text` for a message: truncated to `limit` characters, without unprintable ones."""
    if len(text) > limit:
        text = text[: limit - 1] + "…"
    if text.isprintable():
        return text
    return "".join(char if char.isprintable() else f"\\u{ord(char):04x}" for char in text)
