"""YAML with its aliases and merges expanded, as programs that act on a file see it.

Without this, what an anchor brings to a place would be missed. The expansion is limited, and a problem in the tree says
where the rest was left out.
"""

from __future__ import annotations

from sandboxd.syntax import yaml
from sandboxd.syntax.node import Member, Node, Problem, Tree
from sandboxd.syntax.yaml import YamlNode
from sandboxd.text import Span

MOST = 20_000
"""The most values that anchors may bring in; nobody writes so many by hand."""
_DEEPEST = 100


class Expanded(YamlNode):
    """A copy of an array or object in which aliases and merges are replaced; its children may lie elsewhere in the
    file.
    """

    __slots__ = ()


def parse(text: str, most: int = MOST) -> Tree:
    """The tree of `text` as from `yaml.parse`, with the aliases and merges in its root expanded.

    Nodes without aliases or merges below them are not copied.

    :param most: the most values that anchors may bring in
    """
    tree = yaml.parse(text)
    if tree.root is None:
        return tree
    expansion = _Expansion(most)
    root = expansion.of(tree.root, 0, is_brought=False)
    if expansion.is_whole:
        return tree._replace(root=root)
    start = tree.root.span.start
    message = f"anchors bring in more than {most:,} values, and the rest is not read"
    return tree._replace(root=root, problems=(*tree.problems, Problem(Span(start, start), message)))


class _Expansion:
    def __init__(self, most: int) -> None:
        self._left = most
        self.is_whole = True

    def of(self, node: Node, depth: int, *, is_brought: bool) -> Node:
        """`node` with aliases and merges expanded; itself where it has none.

        :param is_brought: whether an anchor brought it, so that it counts towards the limit
        """
        is_brought = is_brought or node.kind == "alias"
        node = yaml.target(node)
        if node.kind not in ("object", "array"):
            return node
        has_merge = any(yaml.is_merge(member.key) for member in node.members)
        members = yaml.members(node) if has_merge else node.members
        if is_brought or has_merge:
            self._left -= 1 + len(members) + len(node.items)
        if self._left < 0 or depth == _DEEPEST:
            self.is_whole = False
            return YamlNode("missing", node.span)
        items = [self.of(item, depth + 1, is_brought=is_brought) for item in node.items]
        values = [
            self.of(value, depth + 1, is_brought=is_brought or has_merge) for _, value in members
        ]
        is_same = not has_merge and all(
            new is old
            for new, old in zip(
                (*items, *values), (*node.items, *(m.value for m in members)), strict=True
            )
        )
        if is_same:
            return node
        copy = Expanded(node.kind, node.span)
        copy.items = items
        copy.members = [
            Member(member.key, value) for member, value in zip(members, values, strict=True)
        ]
        return copy
