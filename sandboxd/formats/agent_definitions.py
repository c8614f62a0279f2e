"""Custom agents, skills and commands of a repository: a text for the agent, with settings before it.

The settings are YAML between two lines of `---`: hooks and MCP servers of the agent, and tools that it uses
without asking. Source: https://docs.github.com/copilot/reference/custom-agents-configuration,
https://code.visualstudio.com/docs/copilot/customization/custom-agents,
https://code.claude.com/docs/en/sub-agents, /skills and /slash-commands.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from sandboxd import agent_files
from sandboxd.formats import (
    _agent_events,
    _agent_reader,
    _claude_permissions,
    _defaults,
    _hidden_text,
    _yaml_settings,
)
from sandboxd.model.agent import AgentConfig, Instructions, Switch
from sandboxd.model.document import Document

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from typing import Any

    from sandboxd.findings import Change
    from sandboxd.model.agent import Program
    from sandboxd.syntax.node import Node
    from sandboxd.text import Edit, SourceText

NAME = "agent_definitions"
NAMES = (
    "agents/*.md",
    "commands/*.md",
    "*.agent.md",
    "*.chatmode.md",
    "*.prompt.md",
    "skill.md",
)
LANGUAGES: tuple[str, ...] = ()
COMMENT = ""
WATCHED = ("**/.github/agents/*.md", "**/.claude/{agents,commands}/*.md", "**/SKILL.md")
LARGEST = 4 * 1024 * 1024
fits = _defaults.fits
recognises = _defaults.recognises
containers = _defaults.containers

_OF_THEIR_NAME = (".agent.md", ".chatmode.md", ".prompt.md")
_OF_CLAUDE = ".claude/"
_MATTER = re.compile(r"\A\ufeff?---[ \t]*\r?\n(.*?)^---[ \t\r]*$", re.DOTALL | re.MULTILINE)
_ACTS = re.compile(r"^[\"']?(?:hooks|mcp-servers|mcpServers)[\"']?[ \t]*:", re.MULTILINE)
_ASKS_NOT = re.compile(r"^[\"']?(?:allowed-tools|permissionMode)[\"']?[ \t]*:", re.MULTILINE)
_MOST = 64 * 1024
"""Characters in which the settings end: more than anybody writes."""


def matches(path: str) -> bool:
    name = path.rpartition("/")[2].lower()
    if name == "skill.md" or name.endswith(_OF_THEIR_NAME):
        return True
    folder = path.rpartition("/")[0]
    above = f"{folder.rpartition('/')[0].rpartition('/')[2]}/"
    return above in agent_files.DEFINITIONS and folder.endswith(("/agents", "/commands"))


def parse(source: SourceText) -> Document:
    from sandboxd.syntax import yaml_expanded

    match = _MATTER.match(source.text[:_MOST])
    text = ""
    # Most say nothing that acts, many of them in what is no YAML and read word by word all the same.
    acts = match is not None and (
        _ACTS.search(match[1]) or (_OF_CLAUDE in source.path and _ASKS_NOT.search(match[1]))
    )
    if match is not None and acts:
        # Positions stay those of the file.
        before = re.sub(r"[^\r\n]", " ", source.text[: match.start(1)])
        text = before + match[1]
    return Document(NAME, source, yaml_expanded.parse(text), "yaml")


def subjects(document: Document) -> Iterator[tuple[str, object]]:
    root, path = document.tree.root, document.source.path
    yield from _hidden_text.instructions(document.source)
    if root is None or root.kind != "object":
        return
    servers = _agent_reader.at(root, "mcp-servers") or _agent_reader.at(root, "mcpServers")
    yield (
        "AgentConfig",
        AgentConfig(
            path,
            "an agent",
            tuple(_programs(root, path, servers)),
            tuple(_questions(root, path) if _OF_CLAUDE in path else ()),
            variables=tuple(_agent_reader.remote_variables(servers, path, "mcp-servers")),
        ),
    )


def _programs(root: Node, path: str, servers: Node | None) -> Iterator[Program]:
    yield from _agent_reader.hooks(_agent_reader.at(root, "hooks"), path, _agent_events.OCCASIONS)
    for program in _agent_reader.servers(servers, path, "mcp-servers"):
        # JSON in place of YAML would be read, and is nothing to leave behind in a file of others.
        yield program._replace(wrapped=())


def _questions(root: Node, path: str) -> Iterator[Switch]:
    """Yield the settings that let Claude Code run shell commands unasked: its mode, and entries of `allowed-tools`.

    No other agent reads them.
    """
    yield from _agent_reader.switch(
        root,
        path,
        "permissionMode",
        "bypassPermissions",
        "runs every command without asking",
        is_total=True,
    )
    tools = root.get("allowed-tools")
    if tools is None:
        return
    texts = [tools] if tools.kind != "array" else tools.items
    for item in texts:
        tool, effect = _widest(item.text() or "")
        if effect:
            read = _agent_reader.value(item, path, "allowed-tools", tools)
            yield Switch(read._replace(written=tool), f"{effect} while it is used", False)


def _widest(tools: str) -> tuple[str, str]:
    """The first tool of a list with commas whose effect reaches beyond the work, and that effect."""
    words = [word.strip() for word in re.split(r",\s*", tools)]
    if any(word in _agent_events.EVERY_COMMAND for word in words):
        return tools, "runs every shell command without asking"
    effects = ((word, _claude_permissions.effect(word)) for word in words)
    return next((pair for pair in effects if pair[1]), ("", ""))


def edits(document: Document, subject: Any, changes: Sequence[Change]) -> tuple[Edit, ...] | None:
    if isinstance(subject, Instructions):
        return _hidden_text.edits(changes)
    return _yaml_settings.edits(document, changes)


can = _defaults.by_edits(edits)
