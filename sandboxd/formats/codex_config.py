"""`.codex/config.toml`: what a repository sets for Codex, once its folder is trusted.

Source: https://developers.openai.com/codex/config-reference, /hooks and /config-advanced. Of a project's file
Codex ignores addresses of models and of telemetry; newer versions also ignore `notify` and profiles.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from sandboxd.formats import _agent_events, _agent_reader, _defaults
from sandboxd.model.agent import AgentConfig, Switch
from sandboxd.model.document import Document
from sandboxd.text import line_start

if TYPE_CHECKING:
    from collections.abc import Iterator

    from sandboxd.model.agent import Program
    from sandboxd.model.values import Value
    from sandboxd.syntax.node import Node
    from sandboxd.text import SourceText

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
_HOME_AND_ROOT = ("", "~", "$HOME", "/home", "/root", "/Users")


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
            tuple(_programs(document)),
            tuple(_questions(root, path)),
            tuple(_sandbox(root, path)),
            variables=tuple(_variables(root, path, servers)),
            # It starts them all once the folder is trusted.
            asks_for_servers=False,
        ),
    )


def _programs(document: Document) -> Iterator[Program]:
    root, path = document.tree.root, document.source.path
    yield from _agent_reader.helper(root, path, "notify", "with each notification")
    hooks = _agent_reader.at(root, "hooks")
    yield from _agent_reader.hooks(hooks, path, _agent_events.OCCASIONS)
    servers = _agent_reader.at(root, _SERVERS)
    form = _form(document.source)
    yield from _agent_reader.servers(servers, path, _SERVERS, form=form, switch="enabled")


def _variables(root: Node | None, path: str, servers: Node | None) -> Iterator[Value[str]]:
    key = "shell_environment_policy.set"
    yield from _agent_reader.variables(_agent_reader.at(root, *key.split(".")), path, key)
    yield from _agent_reader.remote_variables(servers, path, _SERVERS)


def _form(source: SourceText) -> _agent_reader.Form:
    from sandboxd.syntax import toml_edit

    def behind(entry: Node) -> str:
        text, command = source.text, entry.member("command")
        if command is None or text[entry.span.start : entry.span.start + 1] == "{":
            return ", args = "
        key = command.key.span.start
        return f"{source.line_end()}{text[line_start(text, key) : key]}args = "

    return _agent_reader.Form(toml_edit.encode, behind)


def _tables(root: Node | None) -> Iterator[tuple[str, Node | None]]:
    """The settings themselves and those of each profile, each with the name before its keys."""
    yield "", root
    for name, profile in _agent_reader.members(_agent_reader.at(root, "profiles")):
        yield f"profiles.{name}.", profile


def _named(switches: Iterator[Switch], prefix: str) -> Iterator[Switch]:
    for switch in switches:
        origin = switch.value.origin
        key = origin._replace(key=prefix + origin.key)
        yield switch._replace(value=switch.value._replace(origin=key))


def _questions(root: Node | None, path: str) -> Iterator[Switch]:
    for prefix, table in _tables(root):
        never = "never asks before it runs something"
        yield from _named(
            _agent_reader.switch(table, path, "approval_policy", "never", never), prefix
        )


def _sandbox(root: Node | None, path: str) -> Iterator[Switch]:
    off = "switches the agent's own sandbox off"
    for prefix, table in _tables(root):
        yield from _named(
            _agent_reader.switch(
                table, path, "sandbox_mode", "danger-full-access", off, is_total=True
            ),
            prefix,
        )
    roots = _agent_reader.at(root, "sandbox_workspace_write", "writable_roots")
    for item in roots.items if roots is not None else ():
        if (item.text() or "/").rstrip("/") in _HOME_AND_ROOT:
            read = _agent_reader.value(item, path, "sandbox_workspace_write.writable_roots")
            yield Switch(read, "lets commands in the agent's sandbox write there", is_total=True)
    yield from _agent_reader.switch(
        root,
        path,
        "sandbox_workspace_write.network_access",
        True,
        "lets commands in the agent's sandbox reach the network",
    )


edits = _defaults.toml_edits
can = _defaults.by_edits(edits)
