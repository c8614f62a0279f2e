"""`.mcp.json` and its relatives: the MCP servers that a repository gives to agents and editors.

Source: https://modelcontextprotocol.io/docs, https://code.claude.com/docs/en/mcp,
https://code.visualstudio.com/docs/copilot/customization/mcp-servers, https://docs.cursor.com/context/mcp.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from sandboxd import agent_files
from sandboxd.formats import _agent_reader, _defaults
from sandboxd.model.agent import AgentConfig
from sandboxd.model.document import Document

if TYPE_CHECKING:
    from collections.abc import Iterator

    from sandboxd.text import SourceText

NAME = "mcp_servers"
NAMES = (".mcp.json", "mcp.json")
LANGUAGES: tuple[str, ...] = ()
COMMENT = ""
WATCHED = ("**/.mcp.json", "**/mcp.json")
LARGEST = _defaults.LARGEST
recognises = _defaults.recognises
containers = _defaults.containers

_TABLES = ("mcpServers", "servers")
_AGENTS = {".vscode": "VS Code", **agent_files.SERVERS}


def matches(path: str) -> bool:
    return path.rpartition("/")[2] in NAMES


def fits(path: str, text: str) -> bool:
    """Whether the text names MCP servers: a file called `mcp.json` may be anything."""
    return path.endswith(".mcp.json") or any(f'"{table}"' in text for table in _TABLES)


def parse(source: SourceText) -> Document:
    from sandboxd.syntax import jsonc

    return Document(NAME, source, jsonc.parse(source.text))


def subjects(document: Document) -> Iterator[tuple[str, object]]:
    path, root = document.source.path, document.tree.root
    folder = path.replace("\\", "/").rpartition("/")[0].rpartition("/")[2]
    agent = _AGENTS.get(folder, "an agent")
    for table in _TABLES:
        node = _agent_reader.at(root, table)
        if node is None:
            continue
        yield (
            "AgentConfig",
            AgentConfig(
                path,
                agent,
                tuple(_agent_reader.servers(node, path, table)),
                variables=tuple(_agent_reader.remote_variables(node, path, table)),
            ),
        )


edits = _defaults.json_edits
can = _defaults.by_edits(edits)
