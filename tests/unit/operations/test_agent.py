"""The words of an agent's file that stand for what is known inside."""

from __future__ import annotations

import pytest

from sandboxd.errors import UsageError
from sandboxd.operations.agent import fill

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
