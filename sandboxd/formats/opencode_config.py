"""`opencode.json`: what a repository sets for opencode.

Source: https://opencode.ai/docs/config, /mcp-servers, /formatters, /providers, /permissions and /plugins.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from sandboxd.formats import _agent_reader, _defaults, _opencode_permissions
from sandboxd.model.agent import AgentConfig, Program
from sandboxd.model.document import Document

if TYPE_CHECKING:
    from collections.abc import Iterator

    from sandboxd.model.agent import Destination
    from sandboxd.syntax.node import Node
    from sandboxd.text import SourceText

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
            tuple(_opencode_permissions.questions(root, path)),
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
