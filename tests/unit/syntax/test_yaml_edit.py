from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sandboxd.syntax import yaml, yaml_edit
from sandboxd.syntax.node import Member, Node, walk
from sandboxd.text import Edit, apply_edits
from tests.unit.syntax.test_yaml import value

SCALARS = st.sampled_from(["a", "b:c", "no", "1", "'q # q'", '"x\\ty"', "~", "*x", "!reset z"])
NAMES = ["k", "l", "m", "n"]
TREES = st.recursive(
    SCALARS,
    lambda inner: (
        st.lists(inner, min_size=1, max_size=3)
        | st.dictionaries(st.sampled_from(NAMES), inner, min_size=1, max_size=3)
    ),
    max_leaves=8,
)


def written(tree: object, data: st.DataObject, indent: str = "") -> str:
    """A value in block or in flow style, with comments and blank lines as drawn."""
    if isinstance(tree, str):
        return tree
    if data.draw(st.booleans()):
        return flow(tree)
    gap = data.draw(st.sampled_from(["", "\n", "  # why\n" + indent + "# c"]))
    lines = []
    if isinstance(tree, list):
        lines = [f"{indent}- {written(item, data, indent + '  ').lstrip()}" for item in tree]
        return gap + "\n" + "\n".join(lines)
    assert isinstance(tree, dict)
    for name, item in tree.items():
        inner = written(item, data, indent + "  ")
        lines.append(f"{indent}{name}:{'' if inner.startswith(chr(10)) else ' '}{inner}")
    return gap + "\n" + "\n".join(lines)


def flow(tree: object) -> str:
    if isinstance(tree, list):
        return "[" + ", ".join(map(flow, tree)) + "]"
    if isinstance(tree, dict):
        return "{" + ", ".join(f"{name}: {flow(item)}" for name, item in tree.items()) + "}"
    return str(tree)


def edited(text: str, edits: tuple[Edit, ...]) -> object:
    tree = yaml.parse(apply_edits(text, edits))
    assert tree.problems == ()
    return value(tree.root)


@given(TREES, st.data())
def test_every_edit_changes_that_value_and_no_other(tree: object, data: st.DataObject) -> None:
    text = "x: &x 0\ntop: " + written(tree, data, "  ") + "\nend: 1\n"
    parsed = yaml.parse(text)
    if parsed.problems or parsed.root is None:
        return
    for node in walk(parsed.root):
        if node.kind == "array":
            _array(text, parsed.root, node)
        elif node.kind == "object":
            _object(text, parsed.root, node)


def _array(text: str, root: Node, node: Node) -> None:
    items = node.items
    for item in items if len(items) > 1 else ():
        node.items = [other for other in items if other is not item]
        expected = value(root)
        node.items = items
        assert edited(text, yaml_edit.remove_items(text, node, [item])) == expected
    node.items = [*items, yaml.YamlNode("string", node.span, "new:1")]
    expected = value(root)
    node.items = items
    assert edited(text, yaml_edit.append_item(text, node, "new:1")) == expected


def _object(text: str, root: Node, node: Node) -> None:
    members = node.members
    for member in members if len(members) > 1 and node is not root else ():
        node.members = [other for other in members if other is not member]
        expected = value(root)
        node.members = members
        assert edited(text, yaml_edit.remove_member(text, node, member)) == expected
    key = yaml.YamlNode("string", node.span, "new")
    node.members = [*members, Member(key, yaml.YamlNode("number", node.span, 7))]
    expected = value(root)
    node.members = members
    assert edited(text, yaml_edit.set_member(text, node, "new", "7")) == expected


def node_at(text: str, *path: str) -> Node:
    node = yaml.get(yaml.parse(text).root, *path)
    assert node is not None
    return node


@pytest.mark.parametrize(
    ("before", "index", "after"),
    [
        ("a:\n  - x # 1\n  # two\n  - y\n", 0, "a:\n  # two\n  - y\n"),
        ("a:\n- x\n- y", 1, "a:\n- x"),
        ("a:\r\n- x\r\n- y\r\n", 0, "a:\r\n- y\r\n"),
        ("a: [x, y , z]", 1, "a: [x, z]"),
        ("a: [x, y]", 1, "a: [x]"),
        ("a:\n  - b: 1\n    c: 2\n  - z\n", 0, "a:\n  - z\n"),
        ("a: &n\n  - x\n  - y\n", 1, "a: &n\n  - x\n"),
    ],
)
def test_removing_an_item(before: str, index: int, after: str) -> None:
    array = node_at(before, "a")
    edits = yaml_edit.remove_items(before, array, [array.items[index]])
    assert apply_edits(before, edits) == after


def test_adding_keeps_comments_and_line_ends() -> None:
    text = "a:\r\n    - x # why\r\nb: 1\r\n"
    edits = yaml_edit.append_item(text, node_at(text, "a"), "y")
    assert apply_edits(text, edits) == "a:\r\n    - x # why\r\n    - y\r\nb: 1\r\n"


def test_replacing_keeps_anchor_and_tag() -> None:
    text = "a: &n !t 'x' # c\n"
    edits = yaml_edit.replace(node_at(text, "a"), "y")
    assert apply_edits(text, edits) == "a: &n !t y # c\n"


@given(st.text(max_size=12))
def test_what_is_encoded_is_read_as_the_same_string(text: str) -> None:
    # A lone surrogate is in no file, and libyaml takes no control characters in quotes either.
    if text.isprintable():
        assert value(yaml.parse(f"a: [{yaml_edit.encode(text)}]").root) == {"a": [text]}
