"""`opencode.json`: what a repository sets for opencode.

Source: https://opencode.ai/docs/config, /mcp-servers, /formatters, /providers, /permissions and /plugins.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from sandboxd.formats import _agent_reader, _defaults
from sandboxd.model import open_commands
from sandboxd.model.agent import AgentConfig, Program, Switch
from sandboxd.model.document import Document

if TYPE_CHECKING:
    from collections.abc import Iterator

    from sandboxd.model.agent import Destination
    from sandboxd.syntax.node import Node
    from sandboxd.text import SourceText


# opencode asks about no command where nobody says so: to allow all of them gives nothing away. It asks
# about other folders than the project's, and about commands where `*` is set to `ask`. Source:
# https://opencode.ai/docs/permissions.
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


NAME = "opencode_config"
NAMES = ("opencode.json", "opencode.jsonc")
LANGUAGES: tuple[str, ...] = ()
COMMENT = "//"
WATCHED = ("**/opencode.json", "**/opencode.jsonc")
LARGEST = _defaults.LARGEST
fits = _defaults.fits
recognises = _defaults.recognises
containers = _defaults.containers

_STARTED = (("formatter", "as the formatter"), ("lsp", "as the language server"))


def matches(path: str) -> bool:
    return path.rpartition("/")[2] in NAMES


def parse(source: SourceText) -> Document:
    from sandboxd.syntax import jsonc

    return Document(NAME, source, jsonc.parse(source.text))


def subjects(document: Document) -> Iterator[tuple[str, object]]:
    root, path = document.tree.root, document.source.path
    servers = _agent_reader.at(root, "mcp")
    yield (
        "AgentConfig",
        AgentConfig(
            path,
            "opencode",
            tuple(_programs(root, path, servers)),
            tuple(questions(root, path)),
            destinations=tuple(_destinations(root, path)),
            variables=tuple(_agent_reader.remote_variables(servers, path, "mcp")),
            # It starts them all with the session.
            asks_for_servers=False,
        ),
    )


def _programs(root: Node | None, path: str, servers: Node | None) -> Iterator[Program]:
    yield from _agent_reader.servers(servers, path, "mcp", switch="enabled")
    for table, occasion in _STARTED:
        for name, entry in _agent_reader.members(_agent_reader.at(root, table)):
            yield from _agent_reader.named_helper(
                entry,
                path,
                "command",
                f"{table}.{name}",
                f"{occasion} `{name}` when a file of its kind is used",
            )
    for key in ("plugin", "plugins"):
        plugins = _agent_reader.at(root, key)
        for item in plugins.items if plugins is not None else ():
            package = item if item.text() else item.get("package")
            if package is not None and package.text():
                value = _agent_reader.value(package, path, key, item)
                yield Program("helper", "as a plug-in", value)


def _destinations(root: Node | None, path: str) -> Iterator[Destination]:
    for name, entry in _agent_reader.members(_agent_reader.at(root, "provider")):
        for place in _agent_reader.destination(
            entry, path, "options.baseURL", f"every prompt to `{name}`"
        ):
            origin = place.value.origin._replace(key=f"provider.{name}.options.baseURL")
            yield place._replace(value=place.value._replace(origin=origin))


edits = _defaults.json_edits
can = _defaults.by_edits(edits)
