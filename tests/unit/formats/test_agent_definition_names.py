"""Which files define an agent, by the pages of the tools that read them."""

from __future__ import annotations

import pytest

from sandboxd.formats import agent_definitions


@pytest.mark.parametrize(
    "path",
    [
        "/p/docs/review.agent.md",  # VS Code, custom agents
        "/p/review.chatmode.md",  # VS Code, their former name
        "/p/x/ask.prompt.md",  # VS Code, prompt files
        "/p/x/SKILL.md",
        "/p/.claude/agents/a.md",
        "/p/.github/agents/a.md",
    ],
)
def test_a_file_is_known_by_its_name_or_its_folder(path: str) -> None:
    assert agent_definitions.matches(path)


@pytest.mark.parametrize(
    "path", ["/p/README.md", "/p/agents/a.md", "/p/agent.md", "/p/chatmode.md"]
)
def test_any_other_text_is_none(path: str) -> None:
    assert not agent_definitions.matches(path)
