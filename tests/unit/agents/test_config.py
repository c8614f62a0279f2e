"""The sandboxd.toml of a session: of the project's own what an agent can have, and what the agent needs."""

from __future__ import annotations

import tomllib
from typing import Any

from sandboxd.agents.agent import Agent, Commands
from sandboxd.agents.config import config
from sandboxd.agents.session import Choices
from sandboxd.config import reading
from sandboxd.config.model import Config
from sandboxd.text import SourceText

AGENT = Agent(
    "own", "Own", "", "sh", Commands(()), credentials=("anthropic",), allow=("api.example.org",)
)


NO_CHOICE = Choices()


def content_of(text: str = "", choices: Choices = NO_CHOICE, image: str = "") -> dict[str, Any]:
    project, findings = reading.parse(SourceText("sandboxd.toml", text), "/ws")
    assert project is not None, findings
    return tomllib.loads(config(AGENT, project, choices, image).decode())


def test_a_project_without_a_config_gets_the_least() -> None:
    assert content_of(image="debian") == {
        "profile": "agent",
        "image": "debian",
        "network": {"allow": ["api.example.org"]},
        "credentials": {"required": ["anthropic"]},
    }


def test_what_the_project_asks_for_is_there_too() -> None:
    text = """
profile = "trusted"
image = "python:3"
user = "dev"
runtime = "gvisor"
[capabilities]
add = ["SYS_PTRACE"]
[network]
mode = "open"
[credentials]
use = ["github", "anthropic:home"]
[limits]
memory = "6g"
processes = 100
tmp = "1g"
[workspace]
layout = "bind"
folders = ["../lib"]
[environment]
EDITOR = "vi"
"""
    assert content_of(text, image="debian") == {
        # Neither its profile, its capabilities nor an open network.
        "profile": "agent",
        "runtime": "gvisor",
        "image": "python:3",
        "user": "dev",
        "network": {"allow": ["api.example.org"]},
        "credentials": {"use": ["github"], "required": ["anthropic"]},
        "workspace": {"folders": ["../lib"]},
        "limits": {"memory": "6g", "processes": 100},
        "environment": {"EDITOR": "vi"},
    }


def test_names_of_all_three_come_together() -> None:
    text = '[network]\nallow = ["pypi", "api.example.org"]\nprivate = ["db.corp.example:5432"]\n'
    assert content_of(text, Choices(allow=("npm",)), "debian")["network"] == {
        "allow": ["pypi", "api.example.org", "npm"],
        "private": ["db.corp.example:5432"],
    }


def test_what_the_user_chose_goes_before_both() -> None:
    chosen = Choices(image="node:22", credentials=("anthropic:work",))
    text = 'image = "python:3"\n[credentials]\nrequired = ["anthropic", "npm"]\n'
    content = content_of(text, chosen)
    assert content["image"] == "node:22"
    assert content["credentials"] == {"required": ["npm", "anthropic:work"]}


def test_a_credential_of_another_service_is_one_more() -> None:
    added = content_of(choices=Choices(credentials=("github", "github")))
    assert added["credentials"] == {"required": ["anthropic", "github"]}
    both = content_of(choices=Choices(credentials=("github:bot", "anthropic:work")))
    assert both["credentials"] == {"required": ["github:bot", "anthropic:work"]}


def test_the_config_of_a_session_says_whose_it_is() -> None:
    head = config(AGENT, Config(None, "/ws"), Choices()).decode().splitlines()[0]
    assert head == "# The sandbox of Own on /ws."
