from __future__ import annotations

import tomllib

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from sandboxd.syntax import toml, toml_removal
from sandboxd.syntax.node import Node, plain, walk
from sandboxd.text import apply_edits
from tests.unit.syntax.test_toml_edit import LINES

SERVERS = """\
# about the file

# about files
[mcp_servers.files] # files
command = "npx" # by name
# its words
args = ["-y"]

[mcp_servers.files.env]
A = "1"

# about docs
[mcp_servers.docs]
url = "https://docs.example"

[mcp_servers]
files.cwd = "."
docs.cwd = "."
"""


def remove(text: str, *paths: str) -> str:
    tree = toml.parse(text)
    nodes = []
    for path in paths:
        node = tree.root
        for key in path.split("."):
            assert node is not None
            node = node.items[int(key)] if node.kind == "array" else node.get(key)
        assert node is not None
        nodes.append(node)
    return apply_edits(text, toml_removal.remove_values(text, tree, nodes))


@pytest.mark.parametrize(
    ("text", "path", "after"),
    [
        ("a = 1\n", "a", ""),
        ("a = 1 # why\nb = 2\n", "a", "b = 2\n"),
        ("a = 1\nb = 2", "b", "a = 1\n"),
        ("# about a\na = 1\nb = 2\n", "a", "# about a\nb = 2\n"),
        ("a = 1\n\nb = [\n  1, # one\n]\n\nc = 3\n", "b", "a = 1\n\nc = 3\n"),
        ("[t]\n  a = 1\n\n[u]\n", "t.a", "[t]\n\n[u]\n"),
        ("t.a = 1\nt.b = 2\n", "t.a", "t.b = 2\n"),
        ("t.a = 1\nz = 2\nt.b = 2\n", "t", "z = 2\n"),
        ("t = { a = 1, b = 2 }\n", "t.a", "t = { b = 2 }\n"),
        ("t = { a = 1, b = 2 } # t\n", "t.b", "t = { a = 1 } # t\n"),
        ("t = { a = 1 }\n", "t.a", "t = { }\n"),
        ("t = { u.a = 1, b = 2 }\n", "t.u.a", "t = { b = 2 }\n"),
        ("t = { u.a = 1, b = 2, u.c = 3 }\n", "t.u", "t = { b = 2 }\n"),
        ("l = [{ u.a = 1, u.b.c = 2 }]\n", "l.0.u.b", "l = [{ u.a = 1 }]\n"),
        ("l = ['a', 'b', 'c']\n", "l.1", "l = ['a', 'c']\n"),
        ("l = [\n  'a', # a\n  'b' # b\n]\n", "l.1", "l = [\n  'a' # a\n]\n"),
        ("l = [\n  'a', # a\n  'b', # b\n]\n", "l.0", "l = [\n  'b', # b\n]\n"),
        ("[[x]]\na = 1\n[x.y]\nb = 1\n\n[[x]]\na = 2\n", "x.0", "[[x]]\na = 2\n"),
        ("[[x]]\na = 1\n\n[[x]]\na = 2\n[x.y]\nb = 1\n", "x.1", "[[x]]\na = 1\n"),
        ("[[x]]\na = 1\n[z]\n[x.y]\nb = 1\n", "x.0.y", "[[x]]\na = 1\n[z]\n"),
        ('t = """\n[a]\n"""\n[a]\nb = 1\n', "a", 't = """\n[a]\n"""\n'),
        ("t = [\n[1],\n]\n[a]\n", "a", "t = [\n[1],\n]\n"),
        ("[a]\n\n[a.b.c]\n", "a", ""),
        ("a = 1\r\nb = 2\r\n\r\n[t]\r\n", "b", "a = 1\r\n\r\n[t]\r\n"),
    ],
)
def test_remove(text: str, path: str, after: str) -> None:
    assert remove(text, path) == after


def test_a_table_goes_wherever_it_is_written() -> None:
    assert remove(SERVERS, "mcp_servers.files") == (
        "# about the file\n\n# about files\n\n# about docs\n[mcp_servers.docs]\n"
        'url = "https://docs.example"\n\n[mcp_servers]\ndocs.cwd = "."\n'
    )


def test_several_at_once() -> None:
    assert remove("a = 1\nl = [1, 2, 3]\nb = 2\n", "a", "l.0", "l.2") == "l = [2]\nb = 2\n"
    assert remove("l = [1, 2]\n[t]\n", "l.0", "l") == "[t]\n"


def test_the_whole_file_is_refused() -> None:
    tree = toml.parse("a = 1\n")
    assert tree.root is not None
    with pytest.raises(ValueError, match="whole file"):
        toml_removal.remove_values("a = 1\n", tree, [tree.root])


@given(LINES, st.integers(0, 30), st.sampled_from(["\n", "\r\n"]))
def test_what_is_removed_is_gone_and_all_else_is_as_it_was(
    lines: list[str], index: int, newline: str
) -> None:
    text = "\n".join(lines).replace("\n", newline)
    try:
        before = tomllib.loads(text)
    except tomllib.TOMLDecodeError:
        assume(False)
    tree = toml.parse(text)
    assert tree.root is not None
    values = [node for node in walk(tree.root) if tree.parents.of(node) is not None]
    values = [node for node in values if not is_key(tree.root, node)]
    assume(values)
    value = values[index % len(values)]
    after = apply_edits(text, toml_removal.remove_values(text, tree, [value]))

    assert plain(tree.root) == before
    for node in walk(tree.root):
        node.items = [item for item in node.items if item is not value]
        node.members = [member for member in node.members if member.value is not value]
    assert filled(tomllib.loads(after)) == filled(plain(tree.root))
    if value.kind not in ("object", "array"):
        assert own_lines(after) == own_lines(text)
        assert len(toml.parse(after).comments) >= len(tree.comments) - 1
    assert newline == "\n" or "\n" not in after.replace("\r\n", "")


def own_lines(text: str) -> list[str]:
    """Comments that have a line of their own."""
    return [line for line in text.splitlines() if line.lstrip().startswith("#")]


def is_key(root: Node, node: Node) -> bool:
    return any(member.key is node for inner in walk(root) for member in inner.members)


def filled(data: object) -> object:
    """`data` without empty tables and lists, which go with what made them."""
    if isinstance(data, dict):
        inner = {key: filled(value) for key, value in data.items()}
        return {key: value for key, value in inner.items() if value not in ({}, [])}
    if isinstance(data, list):
        return [filled(value) for value in data]
    return data
