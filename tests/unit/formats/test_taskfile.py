"""Commands of Task that cannot be judged are named among what was skipped."""

from __future__ import annotations

import shlex

import pytest
import yaml

from sandboxd.lint.analysis import check_source
from sandboxd.syntax import shell, taskfile
from sandboxd.text import SourceText


def skipped(*commands: str) -> list[str]:
    lines = "".join(f"  - {command}\n" for command in commands)
    text = f"vars: {{E: docker}}\ntasks:\n  t:\n{lines}"
    report = check_source(SourceText("/p/Taskfile.yml", text))
    return [f"{entry.path} {entry.reason}" for entry in report.skipped]


@pytest.mark.parametrize(
    "command",
    [
        '"docker run --privileged \\u0078"',
        '"\\x64ocker run --privileged x"',
        '"echo a\\ndocker run --privileged x"',
        '"{{.E}} run --privileged \\u0078"',
        "!!binary ZG9ja2VyIHJ1biAtLXByaXZpbGVnZWQgeA==",
    ],
)
def test_a_command_that_starts_a_container_by_other_characters_is_named(command: str) -> None:
    assert skipped("docker run x", command) == [
        "/p/Taskfile.yml starts a container by the command in line 5, which is not judged:"
        " it is written with escapes or in base64"
    ]


@pytest.mark.parametrize(
    "command",
    [
        '"docker run --privileged x"',
        "!!str docker run --privileged x",
        "\"printf 'a\\\\n'\"",
        '"echo docker run \\u0078"',
    ],
)
def test_nothing_is_named_where_all_is_judged(command: str) -> None:
    assert skipped(command) == []


@pytest.mark.parametrize(
    "command",
    [
        '"docker run -v \\"$PWD/a b:/w\\" --privileged x"',
        '"docker run --name=\\"a b\\" x"',
        '"docker run -e A=\\"\\" x \\"it\'s\\""',
        "'docker run -e ''A=b c'' x'",
        "'docker run -e A=''b'' \"c d\" x'",
        '"docker run -e \'A=b \\"c\\"\' x"',
    ],
)
def test_quotes_in_quotes_part_a_command_as_the_shell_does(command: str) -> None:
    text = f"version: '3'\ntasks:\n  t: {command}\n"
    root = shell.parse(taskfile.as_shell(text)).root
    assert root is not None
    (words,) = root.items
    read = shlex.split(yaml.safe_load(text)["tasks"]["t"])
    assert [word.value for word in words.items] == read
