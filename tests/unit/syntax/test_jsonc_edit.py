from __future__ import annotations

import json
import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sandboxd.syntax import jsonc, jsonc_edit
from sandboxd.syntax.node import Node, plain, walk
from sandboxd.text import Edit, apply_edits
from tests.unit.syntax.documents import KEYS, VALUES, Layout


def root_of(text: str) -> Node:
    root = jsonc.parse(text).root
    assert root is not None
    return root


def set_in(text: str, key: str, json_text: str) -> str:
    tree = jsonc.parse(text)
    assert tree.root is not None
    return apply_edits(text, jsonc_edit.set_member(text, tree, tree.root, key, json_text))


def append_to(text: str, json_text: str) -> str:
    tree = jsonc.parse(text)
    assert tree.root is not None
    return apply_edits(text, jsonc_edit.append_item(text, tree, tree.root, json_text))


def remove_from(text: str, *names: object) -> str:
    root = root_of(text)
    if root.kind == "object":
        member = root.member(str(names[0]))
        assert member is not None
        return apply_edits(text, jsonc_edit.remove_member(text, root, member))
    items = [item for item in root.items if item.value in names]
    return apply_edits(text, jsonc_edit.remove_items(text, root, items))


def line_ends(text: str, after: str) -> list[tuple[str, str]]:
    """An edit, and the same of the text with each other line end."""
    if "\n" not in text or "\r" in text:
        return [(text, after)]
    return [(text.replace("\n", end), after.replace("\n", end)) for end in ("\n", "\r\n", "\r")]


@pytest.mark.parametrize(
    ("text", "after"),
    [
        ("{}", '{\n  "k": 1\n}'),
        ("{ }", '{\n  "k": 1\n}'),
        ("{\n}", '{\n  "k": 1\n}'),
        ("{\n    }", '{\n  "k": 1\n    }'),
        ("{\n  // c\n}", '{\n  // c\n  "k": 1\n}'),
        ('{"a": 1}', '{"a": 1, "k": 1}'),
        ('{ "a": 1 }', '{ "a": 1, "k": 1 }'),
        ('{"a": 1,}', '{"a": 1, "k": 1,}'),
        ('{"a": 1 /* c */}', '{"a": 1, /* c */ "k": 1}'),
        ('{\n\t"a": 1\n}', '{\n\t"a": 1,\n\t"k": 1\n}'),
        ('{\r\n    "a": 1\r\n}', '{\r\n    "a": 1,\r\n    "k": 1\r\n}'),
        ('{\n  "a": 1 // about a\n}', '{\n  "a": 1, // about a\n  "k": 1\n}'),
        ('{\n  "a": 1, // about a\n}', '{\n  "a": 1, // about a\n  "k": 1,\n}'),
        ('{ "a": 1 // about a\n}', '{ "a": 1, // about a\n  "k": 1\n}'),
        ('{\n  "a": [\n    1\n  ]\n  // end\n}', '{\n  "a": [\n    1\n  ],\n  "k": 1\n  // end\n}'),
        ('{\n  "k": 0, // c\n  "a": 1\n}', '{\n  "k": 1, // c\n  "a": 1\n}'),
        ('{"k": 0, "k": 2}', '{"k": 0, "k": 1}'),
        ('{"k": , "a": 2}', '{"k": 1, "a": 2}'),
        ('{"k"}', '{"k": 1}'),
        ('{"k": tru}', '{"k": 1}'),
        ('{\n  "a": 1,\n', '{\n  "a": 1,\n  "k": 1,\n'),
        ("{", '{\n  "k": 1'),
        ("{ // why", '{ // why\n  "k": 1'),
        ('{"a": 1', '{"a": 1, "k": 1'),
        ('{\n  "a": 1', '{\n  "a": 1,\n  "k": 1'),
    ],
)
def test_set_member(text: str, after: str) -> None:
    for before, expected in line_ends(text, after):
        assert set_in(before, "k", "1") == expected


def test_set_member_indents_a_value_of_several_lines_to_its_place() -> None:
    text = '{\r\n\t"build": {\r\n\t\t"args": {}\r\n\t}\r\n}'
    tree = jsonc.parse(text)
    build = tree.root.get("build") if tree.root is not None else None
    assert build is not None
    new = jsonc_edit.encode({"x": ["1"]}, "\t")
    assert apply_edits(text, jsonc_edit.set_member(text, tree, build, "o", new)) == (
        '{\r\n\t"build": {\r\n\t\t"args": {},\r\n\t\t"o": {\r\n\t\t\t"x": [\r\n\t\t\t\t"1"'
        "\r\n\t\t\t]\r\n\t\t}\r\n\t}\r\n}"
    )


def test_the_first_member_of_a_nested_object_takes_the_step_of_the_file() -> None:
    text = '{\n    "a": {}\n}'
    tree = jsonc.parse(text)
    inner = tree.root.get("a") if tree.root is not None else None
    assert inner is not None
    assert apply_edits(text, jsonc_edit.set_member(text, tree, inner, "k", "1")) == (
        '{\n    "a": {\n        "k": 1\n    }\n}'
    )


@pytest.mark.parametrize(
    ("text", "after"),
    [
        ("[]", "[\n  1\n]"),
        ('["a"]', '["a", 1]'),
        ('[\n  "a" // about a\n]', '[\n  "a", // about a\n  1\n]'),
        ('[\n  "a", "b"\n]', '[\n  "a", "b", 1\n]'),
        ('["a",\n "b"]', '["a",\n "b", 1]'),
        ("[\n]", "[\n  1\n]"),
        ("[", "[\n  1"),
        ('["a"', '["a", 1'),
    ],
)
def test_append_item(text: str, after: str) -> None:
    for before, expected in line_ends(text, after):
        assert append_to(before, "1") == expected


@pytest.mark.parametrize(
    ("text", "after"),
    [
        ('{"a": 1, "k": 2, "c": 3}', '{"a": 1, "c": 3}'),
        ('{"a": 1, "k": 2}', '{"a": 1}'),
        ('{"k": 2, "c": 3}', '{"c": 3}'),
        ('{ "k": 2 }', "{ }"),
        ('{\n  "a": 1,\n  "k": 2\n}', '{\n  "a": 1\n}'),
        ('{\n  "a": 1,\n  "k": 2,\n}', '{\n  "a": 1,\n}'),
        ('{\n  "k": 2,\n  "c": 3\n}', '{\n  "c": 3\n}'),
        ('{\r\n  "k": [\r\n    2\r\n  ],\r\n  "c": 3\r\n}', '{\r\n  "c": 3\r\n}'),
        ('{\n  // above\n  "k": 2, // about k\n  "c": 3\n}', '{\n  // above\n  "c": 3\n}'),
        ('{\n  "a": 1, // about a\n  "k": 2 // about k\n}', '{\n  "a": 1 // about a\n}'),
        ('{\n  "a": 1, "k": 2, // both\n  "c": 3\n}', '{\n  "a": 1, // both\n  "c": 3\n}'),
        ('{"a": 1 /* a */, "k": 2 /* k */}', '{"a": 1 /* a */ /* k */}'),
        ('{\n  "k": 2 // about k\n  , "c": 3\n}', '{\n   "c": 3\n}'),
        ('{\n  "k": 2, /* about\n   what follows */\n  "c": 3\n}',
         '{\n  /* about\n   what follows */\n  "c": 3\n}'),
    ],
)  # fmt: skip
def test_remove_member(text: str, after: str) -> None:
    for before, expected in line_ends(text, after):
        assert remove_from(before, "k") == expected


@pytest.mark.parametrize(
    ("text", "gone", "after"),
    [
        ('["--cap-add", "X", "c"]', ("--cap-add", "X"), '["c"]'),
        ('[\n  "a",\n  "--cap-add", "X"\n]', ("--cap-add", "X"), '[\n  "a"\n]'),
        ('[\n  "--cap-add",\n  "X",\n  "c"\n]', ("--cap-add", "X"), '[\n  "c"\n]'),
        ('["a", "b", "c"]', ("a", "c"), '["b"]'),
        ('["a", "b", "c"]', ("a", "b", "c"), "[]"),
        ('["a", "b", "c"]', ("b", "c"), '["a"]'),
        ('[\n  "a", // 1\n  "b", // 2\n  "c"\n]', ("a", "b"), '[\n  "c"\n]'),
        ('["a", "b"]', (), '["a", "b"]'),
    ],
)
def test_remove_items(text: str, gone: tuple[str, ...], after: str) -> None:
    for before, expected in line_ends(text, after):
        assert remove_from(before, *gone) == expected


def test_replace_takes_the_text_as_it_is() -> None:
    text = '{"a": [1, 2]}'
    node = root_of(text).get("a")
    assert node is not None
    assert apply_edits(text, jsonc_edit.replace(node, "null")) == '{"a": null}'


@given(VALUES, st.sampled_from(["", "  ", "\t"]))
def test_encode_is_what_json_writes(value: object, indent: str) -> None:
    expected = json.dumps(value, indent=indent or None, ensure_ascii=False).replace(
        "\x7f", "\\u007f"
    )
    assert jsonc_edit.encode(value, indent) == expected


def test_encode_escapes_what_utf8_cannot_hold() -> None:
    assert jsonc_edit.encode("\ud800") == '"\\ud800"'
    with pytest.raises(ValueError, match="not a number of JSON"):
        jsonc_edit.encode(float("inf"))
    with pytest.raises(TypeError, match="type set"):
        jsonc_edit.encode([set()])


def comments(text: str) -> list[str]:
    return [text[c.span.start : c.span.end] for c in jsonc.parse(text).comments]


def containers(root: Node, kind: str) -> list[Node]:
    return [node for node in walk(root) if node.kind == kind]


def is_insertion(text: str, edits: tuple[Edit, ...]) -> bool:
    return all(not text[edit.span.start : edit.span.end].strip() for edit in edits)


@given(st.data(), VALUES, KEYS, VALUES)
def test_setting_a_member_changes_only_that(
    data: st.DataObject, document: object, key: str, value: object
) -> None:
    text = Layout(data).document({"x": document})
    before = jsonc.parse(text)
    assert before.root is not None
    target = data.draw(st.sampled_from(range(len(containers(before.root, "object")))))
    obj = containers(before.root, "object")[target]
    old = obj.get(key)
    edits = jsonc_edit.set_member(text, before, obj, key, jsonc_edit.encode(value, "  "))
    assert is_insertion(text, edits) if old is None else [edit.span for edit in edits] == [old.span]
    after = apply_edits(text, edits)
    tree = jsonc.parse(after)
    assert tree.problems == () and tree.root is not None
    expected = plain(obj)
    assert isinstance(expected, dict)
    assert plain(containers(tree.root, "object")[target]) == {**expected, key: value}
    if old is None:
        assert comments(after) == comments(text)


@given(st.data(), VALUES, VALUES)
def test_appending_an_item_changes_only_that(
    data: st.DataObject, document: object, value: object
) -> None:
    text = Layout(data).document([document])
    before = jsonc.parse(text)
    assert before.root is not None
    target = data.draw(st.sampled_from(range(len(containers(before.root, "array")))))
    array = containers(before.root, "array")[target]
    edits = jsonc_edit.append_item(text, before, array, jsonc_edit.encode(value))
    after = apply_edits(text, edits)
    tree = jsonc.parse(after)
    assert is_insertion(text, edits)
    assert tree.problems == () and tree.root is not None
    expected = plain(array)
    assert isinstance(expected, list)
    assert plain(containers(tree.root, "array")[target]) == [*expected, value]
    assert comments(after) == comments(text)


@given(st.data(), st.lists(VALUES, max_size=5) | st.dictionaries(KEYS, VALUES, max_size=5))
def test_removing_keeps_the_rest_and_the_comments_of_others(
    data: st.DataObject, document: list[object] | dict[str, object]
) -> None:
    text = Layout(data).document(document)
    root = root_of(text)
    if isinstance(document, dict):
        if not document:
            return
        member = data.draw(st.sampled_from(root.members))
        edits = jsonc_edit.remove_member(text, root, member)
        expected: object = {k: v for k, v in document.items() if k != member.key.value}
        spans = [(member.key.span.start, member.value.span.end)]
    else:
        gone = data.draw(st.sets(st.sampled_from(range(len(document) or 1))))
        items = [item for index, item in enumerate(root.items) if index in gone]
        edits = jsonc_edit.remove_items(text, root, items)
        expected = [value for index, value in enumerate(document) if index not in gone]
        spans = [tuple(item.span) for item in items]
    after = apply_edits(text, edits)
    tree = jsonc.parse(after)
    assert tree.problems == () and tree.root is not None
    assert plain(tree.root) == expected
    lost = set(comments(text)) - set(comments(after))
    for comment in jsonc.parse(text).comments:
        shown = text[comment.span.start : comment.span.end]
        if shown in lost:
            assert any(start <= comment.span.start < end for start, end in spans) or any(
                end <= comment.span.start and not re.search(r"[\r\n]", text[end : comment.span.end])
                for _, end in spans
            )
