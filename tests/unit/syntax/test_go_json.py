"""JSON as Go reads it into a struct: case, duplicates, `null`, what is laid over what."""

from __future__ import annotations

import pytest

from sandboxd.syntax import go_json
from sandboxd.syntax.node import plain


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ('{"name": 1}', 1), ('{"NAME": 1}', 1), ('{"Name": 1, "nAME": 2}', 2),
        ('{"nAME": 2, "name": 1}', 1), ('{"name": "a", "Name": null}', "a"),
        ('{"name": [1], "Name": null}', None), ('{"name": {"a": 1}, "Name": null}', None),
        ('{"name": {"a": 1, "b": 1}, "NAME": {"b": 2}}', {"a": 1, "b": 2}),
        ('{"name": [{"a": 1}, 5], "NAME": [{"b": 2}]}', [{"a": 1, "b": 2}]),
        ('{"name": ["a"], "NAME": ["b", "c"]}', ["b", "c"]), ('{"n\u0041me": 1}', 1),
        ('{"na me": 1}', None), ('{}', None),
    ],
)  # fmt: skip
def test_a_field_by_its_name(text: str, value: object) -> None:
    root = go_json.parse(text).root
    assert root is not None
    node = go_json.get(root, "name")
    assert (None if node is None else plain(node)) == value


def test_two_letters_beyond_ascii_count_as_one_of_it() -> None:
    root = go_json.parse('{"\u017fy\u017fcalls": 1, "\u212aind": 2, "\u0130d": 3}').root
    assert root is not None
    names = [name for name, _ in go_json.members(root)]
    assert names[:2] == ["syscalls", "kind"] and names[2] != "id"


def test_keys_that_differ_in_case_are_named() -> None:
    tree = go_json.parse('{"a": {"Icc": 1, "icc": 2}, "b": 1, "c": {"x": 1, "y": 2}}')
    assert [(problem.code, problem.message) for problem in tree.problems] == [
        ("duplicate-key", "`Icc` is the same key as `icc` to its reader: the last one wins")
    ]
