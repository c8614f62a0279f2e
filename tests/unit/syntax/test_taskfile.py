"""Commands of Task as lines of a shell script."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sandboxd.syntax import shell, taskfile

_PARTS = st.sampled_from(
    [
        *("tasks:", "vars:", "cmds:", "cmd:", "\n  ", "\n    - ", "\n", "\r\n", " ", "A: b", "# c"),
        *("docker run", "x", "{{.A}}", "{{", "}}", '"', "'", '\\"', "\\n", "|", ">-", "&a ", "*a"),
    ]
)


def words(tasks: str) -> list[list[object]]:
    """The words of each command."""
    root = shell.parse(taskfile.as_shell(tasks)).root
    assert root is not None
    return [[word.value for word in command.items] for command in root.items]


@pytest.mark.parametrize(
    ("command", "expected"),
    [
        ("docker run a", ["docker", "run", "a"]),
        ("docker run\n      a", ["docker", "run", "a"]),
        ("'docker run a'", ["docker", "run", "a"]),
        ('"docker run \\"a\\" b"', ["docker", "run", "a", "b"]),
        (">-\n      docker run\n      a", ["docker", "run", "a"]),
        ("|\n      docker run \\\n        a", ["docker", "run", "a"]),
        ("'{{.DOCKER}} run {{.A}}'", ["${DOCKER}", "run", "${A-_}"]),
        ("'{{ .DOCKER | default \"x\" }} run a'", ["$" + "_" * 26, "run", "a"]),
    ],
)
def test_each_style_of_text_is_one_command(command: str, expected: list[object]) -> None:
    assert words(f"tasks:\n  t:\n    cmds:\n    - {command}\n") == [expected]


def test_a_line_that_is_indented_more_is_a_command_of_its_own() -> None:
    text = "tasks:\n  t:\n    cmds:\n    - >\n      docker run\n        --privileged\n      a\n"
    assert words(text) == [["docker", "run"], ["--privileged"], ["a"]]


def test_a_text_with_other_escapes_is_left_out() -> None:
    assert words('tasks:\n  t: "docker run a\\nb"\n') == []


def test_plain_variables_are_assignments() -> None:
    text = "vars:\n  A: podman\n  B: \"x\"\n  C: a b\n  D: '{{.A}}'\n  E: {sh: ls}\n  F: $(ls)\n"
    assert words(text) == [["A=podman"], ["B=x"], ["ls"]]


@given(st.lists(_PARTS).map("".join))
def test_each_character_stays_at_its_place(text: str) -> None:
    assert len(taskfile.as_shell(text)) == len(text)
