"""Parses YAML into our tree from the events of libyaml, tolerant of half-typed text.

Scalars are interpreted as in YAML 1.2 and in Go's parser (so in Compose): `no`, `on`, `1:20` are strings. An alias is a
node of its own whose value is the node that it refers to. Nothing is expanded here, so neither many nested aliases nor
an alias within its own anchor costs anything.
"""

from __future__ import annotations

import re
from itertools import islice
from typing import TYPE_CHECKING

from sandboxd.syntax._yaml_comments import comments_of
from sandboxd.syntax._yaml_scalars import binary, resolve
from sandboxd.syntax.node import (
    UNREAD,
    Member,
    Node,
    Problem,
    Tree,
    collector_paused,
    readable,
    walk,
)
from sandboxd.text import Span, line_start

if TYPE_CHECKING:
    from collections.abc import Iterator
    from typing import Any

MAX_RETRIES = 8
MAX_DEPTH = 300
MAX_NODES = 100_000
MAX_MERGED = 1_000
_MOST_MERGED = 100_000  # Keys that all merges may bring together; no real file has a tenth of it.

# Characters that libyaml refuses to read at all; each is replaced by one blank, so that offsets stay. The
# ranges beyond ASCII take milliseconds to compile, so that only a text that has any pays for them.
_FORBIDDEN_ASCII = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f]")
_FORBIDDEN = "[^\t\n\r\x20-\x7e\x85\xa0-\ud7ff\ue000-\ufefe\uff00-\ufffd\U00010000-\U0010ffff]"
_COLON = re.compile(r"\s*:")
_LINE = re.compile(r"[^\r\n]*")
_PROPERTY = re.compile(r"(?:!<[^>]*>|[&!][^\s,\[\]{}]*)(?:\s+(?:#[^\r\n]*)?)*")
_BEGUN = ("flow", "quoted", "simple key")
_CORE = "tag:yaml.org,2002:"


class YamlNode(Node):
    """A node with what only YAML has.

    `span` begins at the anchor or tag, `content` after them. `tag` is a custom tag (``!reset``) or ''. `style` is ''
    for plain text, a quote, ``|`` or ``>``. `flow`: whether an object or array is written with brackets. For the kind
    "alias", the value is the node that it refers to.
    """

    __slots__ = ("_properties", "flow", "style", "tag")

    def __init__(
        self, kind: Any, span: Span, value: object = None, properties: int | None = None
    ) -> None:
        super().__init__(kind, span, value)
        self._properties = span.start if properties is None else properties
        self.tag = ""
        self.style = ""
        self.flow = False

    @property
    def content(self) -> Span:
        """The span of the value without its anchor and tag."""
        return Span(min(self._properties, self.span.end), self.span.end)


def parse(text: str) -> Tree:
    """The tree of `text`. Parts that cannot be read are left out, line by line, and reported as problems."""
    problems: list[Problem] = []
    forbidden = _FORBIDDEN_ASCII if text.isascii() else re.compile(_FORBIDDEN)
    readable_text = forbidden.sub(" ", text)
    if readable_text != text:
        for match in list(forbidden.finditer(text))[:20]:
            name = f"U+{ord(match[0]):04X}"
            problems.append(Problem(Span(*match.span()), f"the character {name} is not allowed"))
    with collector_paused(len(text)):
        return _parse(text, readable_text, problems)


def _parse(text: str, rest: str, problems: list[Problem]) -> Tree:
    # Late: only a YAML file is worth the 20 ms that loading it takes.
    import yaml

    # The loader that is not compiled yields the same events, slowly.
    loader = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
    spent = 0
    for attempt in range(MAX_RETRIES + 1):
        builder = _Builder(rest)
        try:
            for event in yaml.parse(rest, Loader=loader):
                if not builder.take(event):
                    break
        except yaml.YAMLError as error:
            problem, blanked = _faulty(rest, error)
            problems.append(problem)
            spent += MAX_NODES - builder.left
            if attempt < MAX_RETRIES and blanked is not None and spent < MAX_NODES:
                rest = blanked
                continue
        break
    builder.close()
    problems.extend(builder.problems)
    roots = builder.roots
    if "<<" in text:
        problems.extend(_merged_too_much(roots))
    problems.sort()
    # Only one that allows a finding has an effect, and a finding that is not allowed stays.
    comments = tuple(islice(comments_of(text, builder.opaque), MAX_NODES))
    return Tree(roots[0] if roots else None, tuple(problems), comments, tuple(roots[1:]))


def _merged_too_much(roots: list[Node]) -> list[Problem]:
    """The first object of which `members` leaves something out, or that is one of too many such to look at."""
    left = _MOST_MERGED
    for node in (node for root in roots for node in walk(root)):
        for merge in [m.key for m in node.members if is_merge(m.key)][:1]:
            left -= (count := len(members(node)))
            if count >= MAX_MERGED or left < 0:
                return [Problem(merge.span, f"more than {MAX_MERGED:,} merged keys", UNREAD)]
    return []


def _faulty(text: str, error: Any) -> tuple[Problem, str | None]:
    """The problem, and `text` without the line at fault; None when there is no such line.

    libyaml notices an error in brackets, in quotes and in a key only at their end: the line is the one where
    they begin.
    """
    mark = getattr(error, "problem_mark", None)
    begun = getattr(error, "context_mark", None)
    at = len(text) if mark is None else min(mark.index, len(text))
    context = getattr(error, "context", None) or ""
    message = readable(getattr(error, "problem", None) or "cannot be read", 100)
    blame = at
    if begun is not None and any(word in context for word in _BEGUN):
        blame = min(begun.index, len(text))
    start, end = _line(text, blame)
    while not text[start:end].strip() and start > 0:
        start, end = _line(text, start - 1)
    if not text[start:end].strip():
        return Problem(Span(at, at), message), None
    shown = Span(at, at + 1) if start <= at < end else Span(start, end)
    return Problem(shown, message), text[:start] + " " * (end - start) + text[end:]


def _line(text: str, at: int) -> tuple[int, int]:
    start = line_start(text, at)
    match = _LINE.match(text, start)
    return start, match.end() if match else start


class _Builder:
    """Makes nodes from events. Not recursive: its stack holds the open collections."""

    def __init__(self, text: str) -> None:
        self.text = text
        self.roots: list[Node] = []
        self.problems: list[Problem] = []
        self.opaque: list[Span] = []
        self.stack: list[YamlNode] = []
        self.keys: list[Node | None] = []
        self.anchors: dict[str, YamlNode] = {}
        self.left = MAX_NODES

    def take(self, event: Any) -> bool:
        """Add what an event says; False when nothing more is to be read."""
        name = type(event).__name__
        start, end = event.start_mark.index, event.end_mark.index
        if name == "ScalarEvent":
            self.add(self.scalar(event, start, end), event.anchor)
        elif name == "AliasEvent":
            self.add(self.alias(event.anchor, Span(start, end)), None)
        elif name in ("MappingStartEvent", "SequenceStartEvent"):
            content = self.behind_properties(event, start)
            kind = "object" if name[0] == "M" else "array"
            node = YamlNode(kind, Span(start, end), None, content)
            node.tag = _custom(event.tag)
            node.flow = bool(event.flow_style)
            self.add(node, event.anchor)
            if len(self.stack) >= MAX_DEPTH:
                self.problems.append(Problem(node.span, f"more than {MAX_DEPTH} levels", UNREAD))
                return False
            self.stack.append(node)
            self.keys.append(None)
        elif name in ("MappingEndEvent", "SequenceEndEvent"):
            self.end(end)
        elif name == "DocumentStartEvent":
            self.anchors = {}
        self.left -= 1
        if self.left == 0:
            message = f"more than {MAX_NODES:,} values"
            self.problems.append(Problem(Span(start, end), message, UNREAD))
        return self.left > 0

    def close(self) -> None:
        """End the collections that were open when the text broke off."""
        while self.stack:
            self.end(0)

    def behind_properties(self, event: Any, start: int) -> int:
        """The offset of a value after its anchor, its tag, or both."""
        for _ in range((event.anchor is not None) + (event.tag is not None)):
            match = _PROPERTY.match(self.text, start)
            if match is None:
                break
            start = match.end()
        return start

    def scalar(self, event: Any, start: int, end: int) -> YamlNode:
        style = event.style or ""
        content = self.behind_properties(event, start)
        if style in ("|", ">"):
            while end > start and self.text[end - 1] in " \t\r\n":
                end -= 1
            head = _LINE.match(self.text, content)
            self.opaque.append(Span(min(head.end(), end) if head else content, end))
        elif style:
            self.opaque.append(Span(content, end))
        elif start == end:
            start = end = content = self.place_of_nothing(start)
        tag = event.tag or ""
        if tag == f"{_CORE}binary":
            node = YamlNode("string", Span(start, end), binary(event.value), content)
        elif tag == f"{_CORE}str" or _custom(tag) or (style and not tag.startswith(_CORE)):
            # Behind a tag that it does not know Go's reader takes any text for a string.
            node = YamlNode("string", Span(start, end), event.value, content)
        else:
            node = YamlNode(*resolve(event.value, Span(start, end)), content)
        node.tag = _custom(tag)
        node.style = style
        return node

    def place_of_nothing(self, at: int) -> int:
        """The offset at which a missing value would stand: after the colon or the dash."""
        key = self.keys[-1] if self.keys else None
        if key is not None:
            colon = _COLON.match(self.text, key.span.end)
            if colon is not None:
                return colon.end()
        while at > 0 and self.text[at - 1] in " \t\r\n":
            at -= 1
        return at

    def alias(self, anchor: str, span: Span) -> YamlNode:
        target = self.anchors.get(anchor)
        if target is None:
            self.problems.append(Problem(span, f"there is no anchor `&{readable(anchor)}`"))
            return YamlNode("null", span)
        return YamlNode("alias", span, target)

    def add(self, node: YamlNode, anchor: str | None) -> None:
        if anchor:
            self.anchors[anchor] = node
        if not self.stack:
            self.roots.append(node)
            return
        parent = self.stack[-1]
        if parent.kind == "array":
            parent.items.append(node)
        elif self.keys[-1] is None:
            self.as_key(node)
            self.keys[-1] = node
        else:
            parent.members.append(Member(self.keys[-1], node))
            self.keys[-1] = None

    def as_key(self, node: YamlNode) -> None:
        """Make a node a key: a string, whatever its text would mean elsewhere, even behind an alias."""
        original = target(node)
        if original.kind in ("object", "array"):
            return
        if node is not original:
            # An alias to `<<` merges nothing: it is a key of this name, as one in quotes is.
            node.style = "*"
        if isinstance(original.value, str):
            node.value = original.value
        elif isinstance(original, YamlNode):
            node.value = self.text[original.content.start : original.content.end]
        node.kind = "string"

    def end(self, end: int) -> None:
        """Close the innermost collection; one without brackets ends with its last child."""
        node = self.stack.pop()
        key = self.keys.pop()
        if key is not None:
            value = YamlNode("missing", Span(key.span.end, key.span.end))
            node.members.append(Member(key, value))
        last = node.span.end if node.flow else node.span.start
        if node.items:
            last = max(last, node.items[-1].span.end)
        elif node.members:
            last = max(last, node.members[-1].value.span.end, node.members[-1].key.span.end)
        node.span = Span(node.span.start, max(last, end) if node.flow else last)
        if node.kind == "object":
            self.problems.extend(_duplicates(node))


def _custom(tag: str | None) -> str:
    return "" if tag is None or tag.startswith(_CORE) or tag == "!" else tag


def _duplicates(node: Node) -> Iterator[Problem]:
    names: set[object] = set()
    for key, _ in node.members:
        if key.kind == "string" and not is_merge(key):
            if key.value in names and len(names) < 1_000:
                name = readable(str(key.value))
                yield Problem(key.span, f"`{name}` is written twice", "duplicate-key")
            names.add(key.value)


def target(node: Node) -> Node:
    """The node that an alias refers to; any other node itself."""
    if node.kind == "alias" and isinstance(node.value, Node):
        return node.value
    return node


def is_merge(key: Node) -> bool:
    """Whether a key is ``<<``, which merges; in quotes or behind an alias, it is an ordinary name."""
    return key.value == "<<" and not (isinstance(key, YamlNode) and key.style)


def scalar_text(node: Node) -> str | None:
    """A scalar as the text that Go's parser makes of it; None for other nodes."""
    node = target(node)
    value = node.value
    if node.kind == "string":
        return str(value)
    if node.kind == "boolean":
        return "true" if value else "false"
    if node.kind != "number":
        return None
    is_whole = isinstance(value, float) and value.is_integer() and abs(value) < 1e15
    return str(int(value)) if isinstance(value, float) and is_whole else str(value)


def tag(node: Node) -> str:
    """The custom tag of a node, or of the node that an alias refers to; '' if there is none."""
    node = target(node)
    return node.tag if isinstance(node, YamlNode) else ""


def members(node: Node) -> list[Member]:
    """The properties of an object, including those that ``<<`` merges in; explicit keys and earlier sources take
    precedence.
    """
    merged: dict[object, Member] = {}
    for listed in _merge_order(node):
        for key, member in {m.key.value: m for m in listed if not is_merge(m.key)}.items():
            merged.setdefault(key, member)
        if len(merged) >= MAX_MERGED:
            break
    return list(merged.values())


def get(node: Node | None, *path: str) -> Node | None:
    """The value at `path` below `node`, with aliases followed and merges applied; None if there is none."""
    for name in path:
        # Not by `members`: thousands of objects of a hostile file may merge the same large one.
        named = (
            [value for key, value in listed if key.value == name and not is_merge(key)]
            for listed in _merge_order(node)
        )
        node = next((values[-1] for values in named if values), None)
    return None if node is None else target(node)


def _merge_order(node: Node | None) -> Iterator[list[Member]]:
    """The members as written of an object, then of each that it merges, in the order in which they count."""
    waiting = [] if node is None else [node]
    visited: set[int] = set()
    while waiting and len(visited) < MAX_MERGED:
        current = target(waiting.pop(0))
        if id(current) in visited or current.kind != "object":
            continue
        listed = current.members[: MAX_MERGED if visited else None]
        yield listed
        visited.add(id(current))
        merges = [target(value) for key, value in listed if is_merge(key)]
        waiting[:0] = [item for m in merges for item in (m.items if m.kind == "array" else [m])]
