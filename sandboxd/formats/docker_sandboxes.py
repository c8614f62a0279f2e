"""`sbxenv.yaml`: what a repository sets for a sandbox of Docker Sandboxes, and lets run on the host for it.

Source: https://docs.docker.com/ai/sandboxes/configuration/environment-files/ (`sbx` 0.46, experimental). The
user is asked before each start; what a command calls can have changed since the last answer.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from sandboxd.formats import _agent_reader, _defaults, _yaml_settings
from sandboxd.model.agent import AgentConfig
from sandboxd.model.document import Document

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from typing import Any

    from sandboxd.findings import Change
    from sandboxd.model.agent import Program, Switch
    from sandboxd.model.values import Value
    from sandboxd.syntax.node import Node
    from sandboxd.text import Edit, SourceText

NAME = "docker_sandboxes"
NAMES = ("sbxenv.yaml", ".sbxenv.yaml")
LANGUAGES: tuple[str, ...] = ()
COMMENT = "#"
WATCHED = ("**/sbxenv.yaml", "**/.sbxenv.yaml")
LARGEST = _defaults.LARGEST
fits = _defaults.fits
recognises = _defaults.recognises
containers = _defaults.containers

_PHASES = {
    "initialize": "each time the sandbox is made or entered",
    "postCreate": "once the sandbox is made",
    "preRemove": "before the sandbox is removed",
}


def matches(path: str) -> bool:
    return path.rpartition("/")[2] in NAMES


def parse(source: SourceText) -> Document:
    from sandboxd.syntax import yaml_expanded

    return Document(NAME, source, yaml_expanded.parse(source.text), "yaml")


def subjects(document: Document) -> Iterator[tuple[str, object]]:
    root, path = document.tree.root, document.source.path
    yield (
        "AgentConfig",
        AgentConfig(
            path,
            "Docker Sandboxes",
            tuple(_programs(root, path)),
            sandbox=tuple(_sandbox(root, path)),
            variables=tuple(_variables(root, path)),
        ),
    )


def _programs(root: Node | None, path: str) -> Iterator[Program]:
    for phase, entries in _agent_reader.members(_agent_reader.at(root, "lifecycle")):
        for entry in entries.items:
            occasion = _PHASES.get(phase, f"at `{phase}`")
            yield from _agent_reader.command(entry, path, f"lifecycle.{phase}", occasion)
    for key, entry in _credentials(root):
        yield from _agent_reader.named_helper(entry, path, "command", key, f"for `{key}`")
    servers = _agent_reader.at(root, "mcp", "servers")
    for server in servers.items if servers is not None else ():
        yield from _agent_reader.server(server, path, "mcp.servers", _name(server))


def _credentials(root: Node | None) -> Iterator[tuple[str, Node]]:
    """The source of each credential, with the name of its entry."""
    for name, entry in _agent_reader.members(_agent_reader.at(root, "secrets")):
        yield f"secrets.{name}", entry
    for name, entry in _agent_reader.members(_agent_reader.at(root, "registries")):
        for part in ("secret", "username"):
            source = entry.get(part)
            if source is not None:
                yield f"registries.{name}.{part}", source


def _name(server: Node) -> str:
    name = server.get("name")
    return (name.text() if name is not None else "") or "unnamed"


def _sandbox(root: Node | None, path: str) -> Iterator[Switch]:
    for key, weak, effect in (
        (
            "sandboxOptions.writableEnvFiles",
            True,
            "lets the sandbox rewrite this file, which names commands of the host",
        ),
        (
            "sandboxOptions.skills",
            "readwrite",
            "lets the sandbox rewrite the skills that every other sandbox reads",
        ),
    ):
        yield from _agent_reader.switch(root, path, key, weak, effect)


def _variables(root: Node | None, path: str) -> Iterator[Value[str]]:
    yield from _agent_reader.variables(_agent_reader.at(root, "env"), path, "env")
    for key, entry in _credentials(root):
        literal = entry.get("value")
        if literal is not None and literal.text():
            yield _agent_reader.value(literal, path, key)


def edits(document: Document, subject: Any, changes: Sequence[Change]) -> tuple[Edit, ...] | None:
    return _yaml_settings.edits(document, changes)


can = _defaults.by_edits(edits)
