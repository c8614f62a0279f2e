"""What each agent that ships has to be."""

from __future__ import annotations

import re

import pytest

from sandboxd.agents import catalog, instructions, shipped
from sandboxd.config import reading
from sandboxd.credentials import services
from sandboxd.egress.entries import entry
from sandboxd.model.labels import ASK_PROGRAM
from sandboxd.text import SourceText

ENVIRON = {"HOME": "/nonexistent"}
WORD = re.compile(r"\$\{([^}]+)\}")


@pytest.mark.parametrize("name", shipped.names())
def test_each_shipped_agent_is_whole(name: str) -> None:
    agent = catalog.load(name, ENVIRON)
    assert agent.title and agent.source.startswith("https://")
    # What becomes of a sandbox of its own is said of each.
    assert agent.inner_sandbox
    assert set(agent.credentials) <= set(services.names()) and agent.credentials
    for text in agent.allow:
        entry(text)
    # A script can use it, and a person can go on.
    assert agent.words(print_=True) and agent.words(resume=True)
    assert agent.words(print_=True, resume=True).count("{task}") == 1
    assert agent.packages or agent.needs, "its program has to come from somewhere"


@pytest.mark.parametrize("name", shipped.names())
def test_its_texts_name_what_is_known_inside(name: str) -> None:
    agent = catalog.load(name, ENVIRON)
    texts = [*agent.words(), *agent.words(print_=True), *agent.settings]
    texts += [text for _, text in (*agent.environment, *agent.files)]
    for word in (hit for text in texts for hit in WORD.findall(text)):
        base = word.removesuffix(":tail")
        is_ours = base in ("workspace", instructions.WORD)
        assert is_ours or base.partition(".")[0] in agent.credentials, word


@pytest.mark.parametrize("name", sorted({*shipped.names()} - {"aider"}))
def test_it_is_told_where_it_is_in_a_file_of_its_home(name: str) -> None:
    files = dict(catalog.load(name, ENVIRON).files)
    (path,) = (path for path, text in files.items() if text == f"${{{instructions.WORD}}}")
    # Not in the copy: there it would be a change of the agent's.
    assert path.startswith(".") and path.endswith(".md")


def test_what_it_is_told_names_its_folder_and_the_way_to_ask() -> None:
    told = instructions.text("/workspaces/weather", ("pypi", "a.example"), can_ask=True)
    assert "- Allowed when this was written: pypi, a.example.\n" in told
    assert "`/workspaces/weather`" in told and f"`{ASK_PROGRAM} egress NAME --why" in told
    closed = instructions.text("/workspaces/weather", (), can_ask=False)
    assert ASK_PROGRAM not in closed and "Allowed when" not in closed


@pytest.mark.parametrize("name", shipped.names())
def test_it_makes_a_config_that_is_valid(name: str) -> None:
    from sandboxd.agents.config import config
    from sandboxd.agents.session import Choices
    from sandboxd.config.model import Config

    text = config(catalog.load(name, ENVIRON), Config(None, "/ws"), Choices(), "debian")
    parsed, findings = reading.parse(SourceText("sandboxd.toml", text.decode()), "/ws")
    assert parsed is not None, findings
    assert parsed.profile.value == "agent"
