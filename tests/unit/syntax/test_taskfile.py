"""Commands of Task as lines of a shell script."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sandboxd.syntax import shell, taskfile
from tests.growth import growth

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
        ("&q docker run a", ["docker", "run", "a"]),
        ("!!str docker run a", ["docker", "run", "a"]),
        ("&q !x\n      'docker run a'", ["docker", "run", "a"]),
        ("&q |\n      docker run a", ["docker", "run", "a"]),
        ("'{{.DOCKER}} run {{.A}}'", ["${DOCKER}", "run", "${A-_}"]),
        ("'{{ .DOCKER | default \"x\" }} run a'", ["$" + "_" * 26, "run", "a"]),
    ],
)
def test_each_style_of_text_is_one_command(command: str, expected: list[object]) -> None:
    assert words(f"tasks:\n  t:\n    cmds:\n    - {command}\n") == [expected]


def test_a_line_that_is_indented_more_is_a_command_of_its_own() -> None:
    text = "tasks:\n  t:\n    cmds:\n    - >\n      docker run\n        --privileged\n      a\n"
    assert words(text) == [["docker", "run"], ["--privileged"], ["a"]]


@pytest.mark.parametrize(
    "text",
    [
        "x-a: &a docker run a\ntasks:\n  t: *a\n  u: [*a]\n",
        "x-a: &a [docker run a]\ntasks:\n  t: *a\n  u: {cmds: *a}\n",
        "x-a: &a\n  t: docker run a\ntasks: *a\n",
        "x-a: &a 'docker run a'\ntasks:\n  t:\n    cmds:\n    - cmd: *a\n    - defer: *a\n",
        "tasks:\n  t:\n    cmds: &a\n    - *a\n    - docker run a\n",
    ],
)
def test_a_command_behind_an_alias_is_read_once_where_it_is_written(text: str) -> None:
    assert words(text) == [["docker", "run", "a"]]


@pytest.mark.parametrize(
    ("command", "value"),
    [
        ('"docker run a\\nb"', "docker run a\nb"),
        ('"docker run \\u0061 {{.A}}"', "docker run a ${A-_}"),
        ("!!binary ZG9ja2VyIHJ1biBh", "docker run a"),
        ("!!binary 'ZG9ja2VyIHJ1biBh'", "docker run a"),
    ],
)
def test_a_text_of_other_characters_than_its_value_is_named_instead(
    command: str, value: str
) -> None:
    text = f"tasks:\n  t: {command}\n  u: |\n    echo '\\n'\n"
    assert words(text) == [["echo", "\\n"]]
    [node] = taskfile.commands_not_in_place(text)
    assert node.value == value


def test_aliases_of_one_list_cost_no_more_than_one() -> None:
    def read(text: str) -> None:
        taskfile.as_shell(f"x-a: &a [{'b,' * len(text)}]\ntasks:\n{text}")

    assert growth(read, "  t: *a\n") < 2.4


def test_plain_variables_are_assignments() -> None:
    text = "vars:\n  A: podman\n  B: \"x\"\n  C: a b\n  D: '{{.A}}'\n  E: {sh: ls}\n  F: $(ls)\n"
    assert words(text) == [["A=podman"], ["B=x"], ["ls"]]


@given(st.lists(_PARTS).map("".join))
def test_each_character_stays_at_its_place(text: str) -> None:
    assert len(taskfile.as_shell(text)) == len(text)
