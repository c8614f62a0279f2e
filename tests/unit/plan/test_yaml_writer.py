"""YAML of our own: what is written is read back as it was, by a reader of YAML 1.1."""

from __future__ import annotations

from typing import Any

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from sandboxd.plan.writers import _yaml

_TEXT = st.text(st.characters(codec="utf-8"), max_size=30) | st.sampled_from(
    ["yes", "No", "null", "~", "1e3", "0x1F", "12:30:45", "a: b", "a #b", "- a", "|", "x\ny\n", " x\ny\n",
     "x\n\ny\n", "x\ny", "x \ny\n", "x\n\n", "x\ty\nz\n", "$(A)", "python:3", "=", "<<"]
)  # fmt: skip
_VALUES = st.recursive(
    _TEXT | st.integers() | st.booleans(),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(_TEXT, inner, max_size=4),
    max_leaves=12,
)


@given(st.dictionaries(_TEXT, _VALUES, min_size=1, max_size=4))
def test_what_is_written_is_read_back(value: dict[str, Any]) -> None:
    assert list(yaml.safe_load_all(_yaml.documents([value, value]))) == [value, value]


@pytest.mark.parametrize(
    ("value", "text"),
    [
        ({"a": "gvisor"}, "a: gvisor\n"),
        ({"a": "python:3-slim"}, "a: python:3-slim\n"),
        ({"a": "10.0.0.1"}, 'a: "10.0.0.1"\n'),
        ({"a": "no"}, 'a: "no"\n'),
        ({"a": [{"b": 1, "c": []}, "d"]}, "a:\n- b: 1\n  c: []\n- d\n"),
        ({"a": "x\ny\n"}, "a: |\n  x\n  y\n"),
    ],
)
def test_yaml_is_written_for_people(value: dict[str, Any], text: str) -> None:
    assert _yaml.documents([value]) == f"---\n{text}"
