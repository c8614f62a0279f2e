"""What stands in clear in a template of Helm."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sandboxd.formats.kubernetes.chart_values import Defaults
from sandboxd.formats.kubernetes.templates import HOLE, clear
from sandboxd.syntax import yaml


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


VALUES = """\
on: true
off: false
port: 80
word: yes-indeed
text: "yes"
context: {privileged: true, note: "what nobody has to know of it, as long as it is"}
list: [{name: a, hostPath: {path: /etc}}]
empty: {}
loop: &loop
  again: *loop
"""


def defaults() -> Defaults:
    root = yaml.parse(VALUES).root
    assert root is not None
    return Defaults(root)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("a: {{ .Values.on }}\n", "a: true\n"),
        ("a: {{- .Values.port }}\n", "a: 80\n"),
        ("a: {{ .Values.word | quote }}\n", 'a: "yes-indeed"\n'),
        ("a: {{ .Values.text }}\n", 'a: "yes"\n'),
        ("- {{ $.Values.word }}\n", "- yes-indeed\n"),
        ("a:\n  {{- toYaml .Values.context | nindent 2 }}\n", "a:\n  {privileged: true}\n"),
        (
            "a:\n  {{- toYaml .Values.list | nindent 2 }}\n",
            "a:\n  [{name: a,hostPath: {path: /etc}}]\n",
        ),
        ("{{ if .Values.on }}\na: 1\n{{ else }}\na: 2\n{{ end }}\n", "\na: 1\n\n\n\n"),
        ("{{ if not .Values.off }}\na: 1\n{{ end }}\n", "\na: 1\n\n"),
        ("{{ with .Values.context }}\na: {{ .privileged }}\n{{ end }}\n", "\na: true\n\n"),
        ("{{ with .Values.empty }}\na: 1\n{{ end }}\n", "\n\n\n"),
        ("{{ if .Values.missing }}\na: 1\n{{ end }}\n", "\n\n\n"),
    ],
)
def test_what_the_defaults_of_a_chart_decide_is_written(text: str, expected: str) -> None:
    result = clear(text, defaults())
    assert result is not None
    assert [line.rstrip() for line in result.splitlines()] == expected.splitlines()


@pytest.mark.parametrize(
    "text",
    [
        'a: "{{ .Values.word }}-c"\n',
        "a: {{ .Values.word }}-c\n",
        "a: {{ .Values.missing }}\n",
        "a: {{ .Values.port | add 1 }}\n",
        'a: {{ include "x" . }}\n',
        "{{ range .Values.list }}\na: {{ .Values.on }}\n{{ end }}\n",
        "{{ with .Values.context }}\na: {{ .Values.on }}\n{{ end }}\n",
        "{{ if or .Values.on .Values.off }}\na: 1\n{{ end }}\n",
        "b: 1\n{{ toYaml .Values.context }}\n",
        "a:\n  {{ toYaml .Values.loop | nindent 2 }}\n",
    ],
)
def test_what_else_decides_stays_a_hole(text: str) -> None:
    assert "true" not in (clear(text, defaults()) or "").replace("a: true", "a: 1, not true")
    assert "yes" not in (clear(text, defaults()) or "")


_PARTS = st.sampled_from(
    [
        *(
            "a: ",
            "\n",
            "  ",
            "- ",
            "kind: A",
            '"',
            "{{ else }}",
            "{{ end }}",
            "{{- if .Values.on }}",
        ),
        *("{{ .Values.word }}", "{{ with .Values.context }}", "{{ toYaml . | nindent 4 }}"),
        *(
            "{{ toYaml .Values.list }}",
            "{{ .Values.loop }}",
            "{{ if not .Values.off }}",
            "{{ range .x }}",
        ),
    ]
)


@given(st.lists(_PARTS).map("".join))
def test_each_character_stays_at_its_place_with_defaults(text: str) -> None:
    result = clear(text, defaults())
    assert (result is None) == (clear(text) is None)
    if result is not None:
        assert len(result) == len(text)
        lines, before = result.split("\n"), text.split("\n")
        assert [len(line) for line in lines] == [len(line) for line in before]
