"""What `sandboxd agent` takes for itself of its words, and what it hands to the agent."""

from __future__ import annotations

import argparse

import pytest

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
