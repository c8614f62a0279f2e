"""Shared readers of the files of AI agents: MCP servers, hooks, variables."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, NamedTuple

from sandboxd.findings import Place
from sandboxd.formats._agent_events import REFUSING
from sandboxd.model.addresses import is_here
from sandboxd.model.agent import AgentConfig, Destination, Program, Switch
from sandboxd.model.values import Origin, Value
from sandboxd.text import Span

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping
    from typing import Any

    from sandboxd.syntax.node import Node

# `bash` and `powershell` are GitHub's names, `windows`, `linux` and `osx` those of VS Code.
_COMMANDS = ("command", "bash", "powershell", "windows", "linux", "osx")


class Form(NamedTuple):
    """The spelling of a command that runs an MCP server in the sandbox, in one configuration language."""

    encode: Callable[[object], str]
    behind: Callable[[Node], str]
    """The text between the value of an entry's `command` and that of an `args` that comes in."""


JSON = Form(json.dumps, lambda _: ', "args": ')
_MOST = 500
"""Entries of one table that are read: more than anybody writes by hand."""


def value(node: Node, path: str, key: str, entry: Node | None = None) -> Value[Any]:
    """The scalar at `node` as a value; a fix that removes it removes `entry`."""
    text = node.text()
    span = node.span
    if text is not None and span.end - span.start == len(text) + 2:
        span = Span(span.start + 1, span.end - 1)
    written = text if text is not None else str(node.value).lower()
    return Value(
        node.value, Origin("file", path, key), Place(path, span), written, (entry or node,)
    )


def at(root: Node | None, *keys: str) -> Node | None:
    """The node below `root` along these names; None where one is missing."""
    for key in keys:
        root = root.get(key) if root is not None else None
    return root


def members(node: Node | None) -> Iterator[tuple[str, Node]]:
    """The named values of an object; none for anything else."""
    for member in (node.members if node is not None else [])[:_MOST]:
        if member.value.kind != "missing":
            yield str(member.key.value), member.value


def servers(
    node: Node | None,
    path: str,
    key: str,
    name: str = "MCP server",
    form: Form = JSON,
    switch: str = "",
) -> Iterator[Program]:
    """The MCP servers of a table that are started by a command.

    `switch` is the key with which the agent leaves a server out where it is false, '' if it knows none.
    """
    for label, entry in members(node):
        state = entry.get(switch) if switch else None
        if state is None or state.value is not False:
            yield from server(entry, path, key, label, name, form)


def server(
    entry: Node, path: str, key: str, label: str, name: str = "MCP server", form: Form = JSON
) -> Iterator[Program]:
    """The MCP server `label`, where it is started by a command."""
    command = entry.get("command")
    words = _words(command) + _words(entry.get("args")) if command is not None else []
    if command is None or not words:
        return
    first = command.items[0] if command.items else command
    read = value(first, path, f"{key}.{label}", entry)
    yield Program(
        "server",
        f"as the {name} `{label}`",
        read._replace(value=" ".join(words), written=" ".join(words)),
        label,
        _wrapped(entry, command, path, words, form),
    )


def servers_inside(node: Node, path: str) -> AgentConfig:
    """The MCP servers in `customizations.vscode.mcp.servers`, which VS Code starts in the container.

    Source: https://code.visualstudio.com/docs/copilot/customization/mcp-servers.
    """
    key = "customizations.vscode.mcp.servers"
    return AgentConfig(
        path,
        "VS Code",
        tuple(program._replace(wrapped=()) for program in servers(node, path, key)),
        variables=tuple(remote_variables(node, path, key)),
        is_inside=True,
    )


def _wrapped(
    entry: Node, command: Node, path: str, words: list[str], form: Form
) -> tuple[tuple[Value[str], str], ...]:
    """The edited texts by which the server runs in the sandbox, with its standard streams unchanged."""
    if words[0].rpartition("/")[2] == "sandboxd":
        return ()
    inside = form.encode(["exec", "--", *words])
    program, arguments = value(command, path, "command"), entry.get("args")
    if command.kind == "array":
        return ((program, form.encode(["sandboxd", "exec", "--", *words])),)
    if arguments is None:
        return ((program, form.encode("sandboxd") + form.behind(entry) + inside),)
    if arguments.kind != "array":
        return ()
    return (program, form.encode("sandboxd")), (value(arguments, path, "args"), inside)


def remote_variables(node: Node | None, path: str, key: str) -> Iterator[Value[str]]:
    """The variables and headers of remote servers in a table."""
    for server, entry in members(node):
        for table in ("env", "environment", "headers", "http_headers"):
            yield from variables(entry.get(table), path, f"{key}.{server}.{table}")


def variables(node: Node | None, path: str, key: str) -> Iterator[Value[str]]:
    """The texts of a table, each under its name."""
    for name, entry in members(node):
        if entry.text() is not None:
            yield value(entry, path, f"{key}.{name}")


def hooks(node: Node | None, path: str, occasions: Mapping[str, str]) -> Iterator[Program]:
    """The commands by event: `{"SessionStart": [{"matcher": ..., "hooks": [{"command": ...}]}]}`, or flat."""
    for event, entry in _hook_entries(node):
        occasion = occasions.get(event, f"at `{event}`")
        for program in command(entry, path, f"hooks.{event}", occasion):
            yield program._replace(may_refuse=event in REFUSING)


def hook_addresses(node: Node | None, path: str) -> Iterator[Destination]:
    """The addresses that hooks of the type `http` send their events to."""
    for event, entry in _hook_entries(node):
        if (kind := entry.get("type")) is not None and kind.text() == "http":
            for address in destination(entry, path, "url", f"the data of each `{event}`"):
                origin = address.value.origin._replace(key=f"hooks.{event}.url")
                yield address._replace(value=address.value._replace(origin=origin, nodes=(entry,)))


def _hook_entries(node: Node | None) -> Iterator[tuple[str, Node]]:
    """Yield the name of the event and the node of each hook."""
    for event, listed in members(node):
        for group in listed.items[:_MOST]:
            inner = group.get("hooks")
            for entry in inner.items[:_MOST] if inner is not None else (group,):
                yield event, entry


def command(entry: Node | None, path: str, key: str, occasion: str) -> Iterator[Program]:
    """The commands of an entry such as `{"type": "command", "command": "..."}`, one for each system at most."""
    texts: set[str] = set()
    for name in _COMMANDS:
        node = entry.get(name) if entry is not None else None
        text = (node.text() or "") if node is not None else ""
        if node is not None and text and text not in texts:
            texts.add(text)
            words = " ".join([text, *_words(entry.get("args") if entry is not None else None)])
            read = value(node, path, key, entry)
            yield Program("hook", occasion, read._replace(value=words, written=words))


def helper(root: Node | None, path: str, key: str, occasion: str) -> Iterator[Program]:
    """The program of a setting whose value is a command."""
    node = at(root, *key.split("."))
    words = _words(node)
    if node is not None and words:
        first = node.items[0] if node.items else node
        text = " ".join(words)
        yield Program(
            "helper", occasion, value(first, path, key, node)._replace(value=text, written=text)
        )


def named_helper(entry: Node, path: str, key: str, name: str, occasion: str) -> Iterator[Program]:
    """The command at `key` of an entry whose name in the file is `name`."""
    for program in helper(entry, path, key, occasion):
        origin = program.command.origin._replace(key=f"{name}.{key}")
        yield program._replace(command=program.command._replace(origin=origin))


def switch(
    root: Node | None, path: str, key: str, weak: object, effect: str, *, is_total: bool = False
) -> Iterator[Switch]:
    """The setting `key` where it has the value `weak`; dots in `key` separate the names of tables."""
    node = at(root, *key.split("."))
    if node is not None and node.kind not in ("object", "array") and node.value == weak:
        yield Switch(value(node, path, key), effect, is_total)


def destination(root: Node | None, path: str, key: str, data: str) -> Iterator[Destination]:
    """The address at `key`, unless it is one of this machine."""
    node = at(root, *key.split("."))
    if node is not None and node.text() and not is_here(node.text() or ""):
        yield Destination(value(node, path, key), data)


def _words(node: Node | None) -> list[str]:
    if node is None:
        return []
    if node.kind == "array":
        return [str(item.value) for item in node.items[:_MOST] if item.kind == "string"]
    return [str(node.value)] if node.text() else []
