"""What stands in clear in a template of Helm."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sandboxd.formats.kubernetes.templates import HOLE, clear


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("a: 1\n", "a: 1\n"),
        ("a: {{ .b }}\n", "a: $_______\n"),
        ('a: "{{ .b }}-c"\n', 'a: "$_______-c"\n'),
        ("{{- include `}}` . }}\na: 1\n", f"{' ' * 21}\na: 1\n"),
        ('a: {{ default "}}" .b }}\n', f"a: {HOLE.ljust(21, '_')}\n"),
        ("{{/* two\nlines */}}\na: 1\n", "        \n          \na: 1\n"),
        ("{{ if .x }}\na: 1\n{{ end }}\nb: 2\n", "           \n    \n         \nb: 2\n"),
        (
            "{{ if .x }}\nkind: A\n{{ else }}\nkind: B\n{{ end }}",
            "           \nkind: A\n          \n       \n         ",
        ),
        ("{{ end }}", None),
        ("{{ else }}", None),
        ("{{ if .x }}", None),
        ("{{ .x", None),
        ("{{/* x", None),
        ('{{ "x }}', None),
    ],
)
def test_what_values_decide_becomes_a_hole(text: str, expected: str | None) -> None:
    assert clear(text) == expected


@given(
    st.lists(
        st.sampled_from(
            [
                "a: ",
                "{{ .b }}",
                "{{- if .c }}",
                "{{ else }}",
                "{{ end }}",
                "\n",
                "kind: A",
                '"',
                "{{",
                "{{/*",
                "*/",
                "}}",
            ]
        )
    ).map("".join)
)
def test_each_character_stays_at_its_place(text: str) -> None:
    result = clear(text)
    if result is not None:
        assert len(result) == len(text)
        assert [at for at, char in enumerate(text) if char == "\n"] == [
            at for at, char in enumerate(result) if char == "\n"
        ]
        assert "{{" not in result


def test_as_many_actions_as_nobody_writes_are_none() -> None:
    assert clear("a: {{ .b }}\n" * 6000) is None
