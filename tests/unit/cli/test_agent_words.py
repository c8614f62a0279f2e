"""What `sandboxd agent` takes for itself of its words, and what it hands to the agent."""

from __future__ import annotations

import argparse
import os
from pathlib import Path

import pytest

from sandboxd.agents import catalog, session
from sandboxd.agents.session import Choices
from sandboxd.cli import agent_sessions
from sandboxd.cli.commands import agent
from sandboxd.cli.main import build_parser, load_command
from sandboxd.errors import UsageError


def by_argparse(*words: str) -> argparse.Namespace:
    return build_parser("agent", load_command("agent")).parse_args(list(words))


@pytest.mark.parametrize(
    ("words", "name", "more"),
    [
        (["claude", "--", "--model", "X"], "claude", ["--model", "X"]),
        (["claude", "--resume", "--", "-c"], "claude", ["-c"]),
        (["--resume", "claude", "--", "--resume", "--", "x"], "claude", ["--resume", "--", "x"]),
        (["claude", "--"], "claude", []),
        (["claude"], "claude", []),
        ([], None, []),
    ],
)
def test_words_behind_the_dashes_are_the_agents(
    words: list[str], name: str | None, more: list[str]
) -> None:
    args = by_argparse(*words)
    assert agent._read_words(args) == (name, more)
    assert args.resume == ("--resume" in words[: len(words) - len(more)])


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["claude", "two"], "`two` is one argument too many"),
        (["claude", "--modell", "X"], "there is no option `--modell`"),
        (["--", "--model", "X"], "have no agent before it"),
    ],
)
def test_what_is_nobodys_is_refused(words: list[str], message: str) -> None:
    with pytest.raises(UsageError, match=message):
        agent._read_words(by_argparse(*words))


def test_a_name_that_is_none_is_the_options_own_fault() -> None:
    """Not one of a config that sandboxd itself wrote, at a place that the user never saw."""
    with pytest.raises(UsageError, match="`nosuch` of `--allow` is neither a group"):
        agent_sessions.make("/nowhere", "claude", "claude", Choices(allow=("pypi", "nosuch")))


@pytest.fixture
def project(own_home: Path) -> str:
    """A project with an image; the folder is removed after the test."""
    folder = own_home / "weather"
    folder.mkdir()
    (folder / "sandboxd.toml").write_text('image = "alpine"\n')
    return str(folder.resolve())


@pytest.fixture
def started(monkeypatch: pytest.MonkeyPatch) -> list[tuple[str, list[str]]]:
    """What `sandboxd agent` would start: the program and its arguments, for each start."""
    starts: list[tuple[str, list[str]]] = []

    def work(own: session.Session, its: object, _args: object, more: list[str], _image: str) -> int:
        agent_of_it = catalog.of_session(own, os.environ)
        assert agent_of_it == its
        starts.append((agent_of_it.program, more))
        return 0

    monkeypatch.setattr(agent, "_work", work)
    return starts


def test_any_program_is_an_agent_under_a_name_of_ones_own(
    project: str, started: list[tuple[str, list[str]]]
) -> None:
    for words in (["--", "make", "-k", "test"], [], ["--", "-j2"], ["--", "ls"], []):
        args = by_argparse("--project", project, "tests", *words)
        assert agent.run(args) == 0
    make = ("make", ["-k", "test"])
    assert started == [make, make, ("make", ["-k", "test", "-j2"]), ("ls", []), ("ls", [])]


@pytest.mark.parametrize("words", [[], ["--"], ["--", "--model", "X"]])
def test_a_name_that_no_agent_has_is_refused_without_a_program(
    project: str, started: list[tuple[str, list[str]]], words: list[str]
) -> None:
    with pytest.raises(UsageError, match="there is no agent `cluade`") as caught:
        agent.run(by_argparse("--project", project, "cluade", *words))
    assert "any program of the image: `sandboxd agent NAME -- PROGRAM`" in caught.value.hint
    assert started == []


def test_a_program_needs_a_name_that_a_sandbox_can_have(
    project: str, started: list[tuple[str, list[str]]]
) -> None:
    with pytest.raises(UsageError, match="is no name"):
        agent.run(by_argparse("--project", project, "--name", "two", "A B", "--", "make"))
    assert started == []
