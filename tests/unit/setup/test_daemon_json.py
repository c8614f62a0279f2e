"""daemon.json with runtimes added and taken out: every other byte stays."""

from __future__ import annotations

import json

import pytest

from sandboxd.errors import UsageError
from sandboxd.setup import daemon_json

OURS = {"runsc-sandboxd": {"path": "/usr/bin/runsc", "runtimeArgs": ["--directfs=false"]}}

TEXTS = [
    "",
    "{}",
    "{\n}\n",
    '{"debug":false}',
    '{\n    "debug": false,\n    "labels": ["a=b"]\n}\n',
    '{\r\n\t"z": 1,\r\n\t"runtimes": {"x": {"path": "/x"}},\r\n\t"a": {"unknown": [1, 2]}\r\n}\r\n',
    '{"runtimes":{}}',
    '{\n  "runtimes": {\n    "runsc": {\n      "path": "/usr/bin/runsc"\n    }\n  },\n  "b": 1\n}',
]


@pytest.mark.parametrize("text", TEXTS)
def test_added_and_everything_else_kept(text: str) -> None:
    new = daemon_json.merge(text, OURS, "f")
    before = json.loads(text) if text.strip() else {}
    after = json.loads(new)
    assert after.pop("runtimes") == before.pop("runtimes", {}) | OURS
    assert after == before and list(after) == list(before)
    if "\r\n" in text:
        assert "\n" not in new.replace("\r\n", "")
    assert daemon_json.merge(new, OURS, "f") == new, "twice is once"


@pytest.mark.parametrize("text", TEXTS)
def test_taken_out_again(text: str) -> None:
    new = daemon_json.merge(text, OURS, "f")
    gone = daemon_json.without(new, tuple(OURS), "f")
    before = json.loads(text) if text.strip() else {}
    if before.get("runtimes") == {}:
        del before["runtimes"]
    assert json.loads(gone) == before


def test_the_indentation_is_the_files_own() -> None:
    new = daemon_json.merge('{\n\t"debug": true\n}\n', OURS, "f")
    assert '\n\t\t"runsc-sandboxd": {\n\t\t\t"path"' in new


def test_a_changed_definition_is_replaced() -> None:
    text = '{"runtimes": {"runsc-sandboxd": {"path": "/old"}, "b": {"path": "/b"}}}'
    new = daemon_json.merge(text, OURS, "f")
    assert daemon_json.definitions(new) == OURS | {"b": {"path": "/b"}}


def test_an_empty_table_is_shown_to_the_engine() -> None:
    for text in ("", "{}", '{\n  "debug": true\n}\n'):
        new = json.loads(daemon_json.with_empty_table(text, "f"))
        assert new["runtimes"] == {}


@pytest.mark.parametrize("text", ["[]", "{,}", '{"a": 1} // comment', '"x"'])
def test_what_the_engine_would_not_read_is_refused(text: str) -> None:
    with pytest.raises(UsageError, match="`f` is not"):
        daemon_json.merge(text, OURS, "f")
