"""`.codex/config.toml`: what a repository sets for Codex, once its folder is trusted.

Source: https://developers.openai.com/codex/config-reference. Addresses of models are not read from a
project's file by Codex itself.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from sandboxd.kinds import _agent_reader, _defaults
from sandboxd.model.agent import AgentConfig
from sandboxd.model.document import Document

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from typing import Any

    from sandboxd.findings import Change
    from sandboxd.model.agent import Program, Switch
    from sandboxd.syntax.node import Node
    from sandboxd.text import Edit, SourceText

NAME = "codex_config"
NAMES = (".codex/config.toml",)
LANGUAGES: tuple[str, ...] = ()
COMMENT = "#"
WATCHED = ("**/.codex/config.toml",)
LARGEST = _defaults.LARGEST
fits = _defaults.fits
recognises = _defaults.recognises
containers = _defaults.containers

_SERVERS = "mcp_servers"


def matches(path: str) -> bool:
    return path.endswith(NAMES)


def parse(source: SourceText) -> Document:
    from sandboxd.syntax import toml

    return Document(NAME, source, toml.parse(source.text), "toml")


def subjects(document: Document) -> Iterator[tuple[str, object]]:
    root, path = document.tree.root, document.source.path
    servers = _agent_reader.at(root, _SERVERS)
    yield (
        "AgentConfig",
        AgentConfig(
            path,
            "Codex",
            tuple(_programs(root, path, servers)),
            tuple(
                _agent_reader.switch(
                    root, path, "approval_policy", "never", "never asks before it runs something"
                )
            ),
            tuple(_sandbox(root, path)),
            variables=tuple(_agent_reader.remote_variables(servers, path, _SERVERS)),
            # It starts them all once the folder is trusted.
            asks_for_servers=False,
        ),
    )


def _programs(root: Node | None, path: str, servers: Node | None) -> Iterator[Program]:
    yield from _agent_reader.helper(root, path, "notify", "with each notification")
    for program in _agent_reader.servers(servers, path, _SERVERS):
        # Its tables are edited by hand: a table may be written in several places.
        yield program._replace(wrapped=())


def _sandbox(root: Node | None, path: str) -> Iterator[Switch]:
    yield from _agent_reader.switch(
        root,
        path,
        "sandbox_mode",
        "danger-full-access",
        "switches the agent's own sandbox off",
        is_total=True,
    )
    yield from _agent_reader.switch(
        root,
        path,
        "sandbox_workspace_write.network_access",
        True,
        "lets commands in the agent's sandbox reach the network",
    )


def edits(document: Document, subject: Any, changes: Sequence[Change]) -> tuple[Edit, ...] | None:
    """No edit of its tables is safe to make by a rule."""
    return None


can = _defaults.by_edits(edits)
