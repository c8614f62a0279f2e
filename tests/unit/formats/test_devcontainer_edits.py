"""Changes of a container as edits of its devcontainer.json."""

from __future__ import annotations

import json

import pytest

from sandboxd.findings import Add, Change
from sandboxd.formats import devcontainer
from sandboxd.formats.resolved.variables import Variables
from sandboxd.text import SourceText, apply_edits

PATH = "/p/.devcontainer/devcontainer.json"
DROP_ALL = Add("cap_drop", "ALL")
ADD_TWO = (Add("cap_add", "CHOWN"), Add("cap_add", "SETUID"))


def changed(text: str, *changes: Change) -> str:
    document = devcontainer.parse(SourceText(PATH, text))
    container, *_ = devcontainer.containers(document, Variables())
    edits = devcontainer.edits(document, container, changes)
    assert edits is not None
    return apply_edits(text, edits)


@pytest.mark.parametrize(
    ("before", "after"),
    [
        ('{ "image": "x" }',
         '{ "image": "x", "runArgs": ["--cap-drop=ALL"], "capAdd": ["CHOWN", "SETUID"] }'),
        ('{\n  "image": "x"\n}\n',
         '{\n  "image": "x",\n  "runArgs": ["--cap-drop=ALL"],\n  "capAdd": ["CHOWN", "SETUID"]\n}\n'),
        ('{ "capAdd": [], "image": "x" }',
         '{ "capAdd": ["CHOWN", "SETUID"], "image": "x", "runArgs": ["--cap-drop=ALL"] }'),
        ('{ "capAdd": ["KILL"], "runArgs": ["--init"], "image": "x" }',
         '{ "capAdd": ["KILL", "CHOWN", "SETUID"], "runArgs": ["--init", "--cap-drop=ALL"], "image": "x" }'),
    ],
)  # fmt: skip
def test_items_come_in_where_their_setting_is_or_together_at_the_end(
    before: str, after: str
) -> None:
    assert changed(before, DROP_ALL, *ADD_TWO) == after


@pytest.mark.parametrize("wrong", ['"KILL"', "1", "null", '{"KILL": true}'])
def test_a_setting_that_is_no_list_becomes_one_and_is_there_once(wrong: str) -> None:
    """A second member of the name would take it from this one, or lose it to this one."""
    for text in (f'{{"image": "x", "capAdd": {wrong}}}', f'{{"capAdd": {wrong}, "image": "x"}}'):
        after = changed(text, DROP_ALL, *ADD_TWO)
        assert json.loads(after) == {
            "image": "x",
            "runArgs": ["--cap-drop=ALL"],
            "capAdd": ["CHOWN", "SETUID"],
        }
        assert after.count("capAdd") == 1
