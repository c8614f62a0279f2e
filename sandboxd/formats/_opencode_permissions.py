"""Reads which actions `opencode.json` permits without a question to the user, for each agent it defines.

opencode asks about no command where nobody says so: to allow all of them gives nothing away. It asks about other folders
than the project's, and about commands where `*` is set to `ask`. Source: https://opencode.ai/docs/permissions.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from sandboxd.formats import _agent_reader
from sandboxd.model import open_commands
from sandboxd.model.agent import Switch

if TYPE_CHECKING:
    from collections.abc import Iterator

    from sandboxd.syntax.node import Node

_ALLOWED = "allow"
_EVERYTHING = ("*", "**", "/**", "~/**")


def questions(root: Node | None, path: str) -> Iterator[Switch]:
    """Permissions that let an agent act without asking: those of all agents first, then of single ones."""
    yield from _allowed(_agent_reader.at(root, "permission"), path, "permission")
    for name, agent in _agent_reader.members(_agent_reader.at(root, "agent")):
        yield from _allowed(agent.get("permission"), path, f"agent.{name}.permission")


def _allowed(node: Node | None, path: str, key: str) -> Iterator[Switch]:
    outside = _agent_reader.at(node, "external_directory")
    everywhere = [("", outside)] if outside is not None else []
    everywhere += [pair for pair in _agent_reader.members(outside) if pair[0] in _EVERYTHING]
    for _, action in everywhere:
        if action.text() == _ALLOWED:
            effect = "works in every folder without asking"
            yield _switch(action, path, f"{key}.external_directory", effect)
    commands = _agent_reader.at(node, "bash")
    others = _agent_reader.at(commands, "*")
    if others is None or others.text() == _ALLOWED:
        return
    for pattern, action in _agent_reader.members(commands):
        effect = open_commands.effect(pattern.removesuffix("*").strip())
        if effect and pattern.endswith("*") and action.text() == _ALLOWED:
            yield _switch(action, path, f"{key}.bash.{pattern}", effect)


def _switch(node: Node, path: str, key: str, effect: str) -> Switch:
    return Switch(_agent_reader.value(node, path, key), effect, is_total=False)
