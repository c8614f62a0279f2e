"""The words of an agent's file that stand for what is known inside."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import pytest

from sandboxd.agents import catalog, session
from sandboxd.errors import UsageError
from sandboxd.operations import agent as operation
from sandboxd.operations.agent import fill
from sandboxd.operations.keeping import Keeping
from sandboxd.operations.start_options import AgentOptions

WORDS = {
    "workspace": "/workspaces/weather",
    "anthropic.decoy": "sandboxd-placeholder-0123456789abcdef",
}


def test_words_are_filled_and_braces_stay() -> None:
    text = '{"projects": {"${workspace}": {"a": "$HOME", "b": "${anthropic.decoy}"}}}'
    decoy = WORDS["anthropic.decoy"]
    expected = f'{{"projects": {{"/workspaces/weather": {{"a": "$HOME", "b": "{decoy}"}}}}}}'
    assert fill(text, WORDS) == expected


def test_the_end_of_a_word_is_its_last_20_characters() -> None:
    assert fill("${anthropic.decoy:tail}", WORDS) == WORDS["anthropic.decoy"][-20:]


def test_a_filled_word_is_not_filled_again() -> None:
    assert fill("${workspace}", {"workspace": "/ws/${anthropic.decoy}"}) == "/ws/${anthropic.decoy}"


def test_an_unknown_word_stops_and_names_those_that_are_known() -> None:
    with pytest.raises(UsageError) as caught:
        fill("${openai.api}", WORDS)
    assert "`${openai.api}`" in caught.value.message
    assert "`${workspace}`" in (caught.value.hint or "")


def test_a_way_that_an_agent_does_not_have_is_refused_before_anything_starts(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    def words(**_: bool) -> list[str]:
        raise LookupError

    monkeypatch.setattr(session, "recall", lambda *_: SimpleNamespace(agent="forecaster"))
    agent = SimpleNamespace(name="forecaster", words=words)
    monkeypatch.setattr(catalog, "of_session", lambda *_: agent)
    # It has no engine, and nothing else that a start needs.
    request: Any = SimpleNamespace(
        environ={},
        directory="/p",
        name="forecaster",
        read_options=lambda _: AgentOptions(task="a task"),
    )
    with pytest.raises(UsageError, match="`forecaster` has no command for `--print`"):
        operation.serve(request)


def test_a_session_is_given_what_a_daemon_keeps_for_any_start(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """But for the ports of the project, which are those of the sandbox without a name."""
    handed: list[Keeping] = []

    def start(*arguments: Any, **_: Any) -> None:
        handed.append(arguments[4])
        raise UsageError("it goes no further")

    own = SimpleNamespace(agent="forecaster", name="forecaster")
    monkeypatch.setattr(session, "recall", lambda *_: own)
    monkeypatch.setattr(catalog, "of_session", lambda *_: SimpleNamespace())
    monkeypatch.setattr(operation, "own_words", lambda *_: None)
    monkeypatch.setattr(operation._plan, "for_start", lambda *_: (None, None, None))
    monkeypatch.setattr(operation, "_require_image", lambda *_: None)
    monkeypatch.setattr(operation, "_install", lambda *_: None)
    monkeypatch.setattr(operation, "interruptible", lambda engine, _: engine)
    monkeypatch.setattr(operation, "start", start)
    kept = Keeping(
        lambda *_: None, lambda *_: None, lambda *_: True, lambda *_: ("a port of the project",)
    )
    request: Any = SimpleNamespace(
        environ={},
        environ_of_caller=dict,
        directory="/p",
        name="forecaster",
        engine=None,
        facts=None,
        progress=None,
        cancel=None,
        keeping=kept,
        read_options=lambda _: AgentOptions(),
    )
    with pytest.raises(UsageError, match="no further"):
        operation.serve(request)
    (given,) = handed
    assert given.keep_ssh is kept.keep_ssh and given.keep_credentials is kept.keep_credentials
    assert given.wait_for_ports("/p", ()) == ()
