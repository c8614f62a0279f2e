"""`.gemini/settings.json`: what a repository sets for Gemini CLI.

Source: https://github.com/google-gemini/gemini-cli/blob/main/docs/cli/settings.md; the flat names are those
of versions before 0.3.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from sandboxd.formats import _agent_reader, _defaults
from sandboxd.model import open_commands
from sandboxd.model.agent import AgentConfig, Switch
from sandboxd.model.document import Document

if TYPE_CHECKING:
    from collections.abc import Iterator

    from sandboxd.model.agent import Program
    from sandboxd.syntax.node import Node
    from sandboxd.text import SourceText

NAME = "gemini_settings"
NAMES = (".gemini/settings.json",)
LANGUAGES: tuple[str, ...] = ()
COMMENT = "//"
WATCHED = ("**/.gemini/settings.json",)
LARGEST = _defaults.LARGEST
fits = _defaults.fits
recognises = _defaults.recognises
containers = _defaults.containers

_OCCASIONS = {
    "SessionStart": "when a session starts",
    "SessionEnd": "when a session ends",
    "BeforeAgent": "with each prompt",
    "AfterAgent": "when an answer ends",
    "BeforeTool": "before each use of a tool",
    "AfterTool": "after each use of a tool",
}
_HELPERS = (
    ("tools.discoveryCommand", "to find tools when a session starts"),
    ("tools.callCommand", "with each use of a tool that was found"),
    ("toolDiscoveryCommand", "to find tools when a session starts"),
    ("toolCallCommand", "with each use of a tool that was found"),
    ("mcp.serverCommand", "as an MCP server"),
)

_SHELL = ("run_shell_command", "ShellTool", "run_shell_command()", "ShellTool()")
# The beginning of a command stands for all that begin so.
_COMMAND = re.compile(r"(?:run_shell_command|ShellTool)\(([^()]+)\)")


def matches(path: str) -> bool:
    return path.endswith(NAMES)


def parse(source: SourceText) -> Document:
    from sandboxd.syntax import jsonc

    return Document(NAME, source, jsonc.parse(source.text))


def subjects(document: Document) -> Iterator[tuple[str, object]]:
    root, path = document.tree.root, document.source.path
    servers = _agent_reader.at(root, "mcpServers")
    yield (
        "AgentConfig",
        AgentConfig(
            path,
            "Gemini CLI",
            tuple(_programs(root, path, servers)),
            tuple(_questions(root, path, servers)),
            (),
            tuple(
                _agent_reader.destination(
                    root, path, "telemetry.otlpEndpoint", "telemetry, prompts with it"
                )
            ),
            tuple(_agent_reader.remote_variables(servers, path, "mcpServers")),
            # It starts them all once the folder is trusted.
            asks_for_servers=False,
        ),
    )


def _programs(root: Node | None, path: str, servers: Node | None) -> Iterator[Program]:
    yield from _agent_reader.hooks(_agent_reader.at(root, "hooks"), path, _OCCASIONS)
    for key, occasion in _HELPERS:
        yield from _agent_reader.helper(root, path, key, occasion)
    yield from _agent_reader.servers(servers, path, "mcpServers")


def _questions(root: Node | None, path: str, servers: Node | None) -> Iterator[Switch]:
    for key in ("tools.autoAccept", "autoAccept"):
        yield from _agent_reader.switch(
            root, path, key, True, "runs tools that are held to be safe without asking"
        )
    for key in ("tools.allowed", "allowedTools"):
        allowed = _agent_reader.at(root, *key.split("."))
        for item in allowed.items if allowed is not None else ():
            if item.text() in _SHELL:
                read = _agent_reader.value(item, path, key)
                yield Switch(read, "runs every shell command without asking", is_total=True)
            elif (command := _COMMAND.fullmatch(item.text() or "")) and (
                effect := open_commands.effect(command[1])
            ):
                read = _agent_reader.value(item, path, key)
                yield Switch(read, effect, is_total=False)
    for name, entry in _agent_reader.members(servers):
        for trust in _agent_reader.switch(
            entry, path, "trust", True, f"uses each tool of the server `{name}` without asking"
        ):
            origin = trust.value.origin._replace(key=f"mcpServers.{name}.trust")
            yield trust._replace(value=trust.value._replace(origin=origin))
    yield from _agent_reader.switch(
        root,
        path,
        "security.folderTrust.enabled",
        False,
        "takes each folder for a trusted one",
        is_total=True,
    )


edits = _defaults.json_edits
can = _defaults.by_edits(edits)
