"""The way up in a tree, which edits take, and no tree holds."""

from __future__ import annotations

import gc
import weakref
from collections.abc import Callable

import pytest

from sandboxd.syntax import apparmor, dockerfile, jsonc, shell, toml, yaml
from sandboxd.syntax.node import Node, NotInTreeError, Tree, walk

PARSERS: dict[str, tuple[Callable[[str], Tree], str]] = {
    "apparmor": (apparmor.parse, "profile x {\n  deny /a r,\n  profile y {\n    /b r,\n  }\n}\n"),
    "dockerfile": (dockerfile.parse, "FROM x\nRUN y\n"),
    "jsonc": (jsonc.parse, '{"a": [1, {"b": 2}], {"c": 3}, "d": }'),
    "shell": (shell.parse, "docker run -v a:b x\necho $(docker run y)\n"),
    "toml": (toml.parse, "a.b = 1\n[[x]]\ny = [1, {z = 2}]\n[x.w]\n[c]\n[x.v]\n"),
    "yaml": (yaml.parse, "a: &b [1, {c: 2}]\nd: *b\n---\ne: 1\n"),
}


@pytest.mark.parametrize("name", sorted(PARSERS))
def test_every_node_lies_in_the_node_that_has_it_as_a_child(name: str) -> None:
    parse, text = PARSERS[name]
    tree = parse(text)
    for root in (tree.root, *tree.others):
        assert root is not None
        assert tree.parents.of(root) is None
        for node in walk(root):
            for item in node.items:
                assert tree.parents.of(item) is node
                assert tree.parents.member(item) is None
            for member in node.members:
                assert tree.parents.member(member.key) == (node, member)
                assert tree.parents.member(member.value) == (node, member)


def test_the_parents_of_a_tree_are_looked_for_once() -> None:
    tree = jsonc.parse("[1]")
    assert tree.parents is tree.parents


@pytest.mark.parametrize("text", ["1", '"text"', "[]", '{"a": 1}'])
def test_a_node_of_another_tree_has_no_parent_here(text: str) -> None:
    tree, other = jsonc.parse(text).root, jsonc.parse(text)
    assert tree is not None
    with pytest.raises(NotInTreeError, match=f"the {tree.kind} .*is not written in this text"):
        other.parents.of(tree)


@pytest.mark.parametrize("name", sorted(PARSERS))
def test_a_tree_is_freed_without_the_collector(name: str) -> None:
    class Watched(Node):
        __slots__ = ("__weakref__",)

    parse, text = PARSERS[name]
    tree = parse(text)
    assert tree.root is not None
    last = Watched("null", tree.root.span)
    tree.root.items.append(last)
    assert tree.parents.of(last) is tree.root
    watch = weakref.ref(last)
    gc.disable()
    try:
        del tree, last
        assert watch() is None
    finally:
        gc.enable()
