"""What the files of AI agents have in common: MCP servers, hooks, variables."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

from sandboxd.findings import Place
from sandboxd.model.agent import Destination, Program, Switch
from sandboxd.model.values import Origin, Value
from sandboxd.text import Span

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from typing import Any

    from sandboxd.syntax.node import Node

_HERE = ("localhost", "host.docker.internal")
_MOST = 500
"""Entries of one table that are read: more than anybody writes by hand."""


def value(node: Node, path: str, key: str, entry: Node | None = None) -> Value[Any]:
    """The scalar at `node` as a value; `entry` is what goes when it is removed."""
    text = node.text()
    span = node.span
    if text is not None and span.end - span.start == len(text) + 2:
        span = Span(span.start + 1, span.end - 1)
    written = text if text is not None else str(node.value).lower()
    return Value(
        node.value, Origin("file", path, key), Place(path, span), written, (entry or node,)
    )


def at(root: Node | None, *keys: str) -> Node | None:
    """The node below `root` by one name after the other."""
    for key in keys:
        root = root.get(key) if root is not None else None
    return root


def members(node: Node | None) -> Iterator[tuple[str, Node]]:
    """The named values of an object; of anything else none."""
    for member in (node.members if node is not None else [])[:_MOST]:
        if member.value.kind != "missing":
            yield str(member.key.value), member.value


def servers(node: Node | None, path: str, key: str, name: str = "MCP server") -> Iterator[Program]:
    """The MCP servers of a table that are started by a command."""
    for server, entry in members(node):
        command = entry.get("command")
        if command is None:
            continue
        words = _words(command) + _words(entry.get("args"))
        if not words:
            continue
        first = command.items[0] if command.items else command
        read = value(first, path, f"{key}.{server}", entry)
        yield Program(
            "server",
            f"as the {name} `{server}`",
            read._replace(value=" ".join(words), written=" ".join(words)),
            server,
            _wrapped(entry, command, path, words),
        )


def _wrapped(
    entry: Node, command: Node, path: str, words: list[str]
) -> tuple[tuple[Value[str], str], ...]:
    """The texts by which the server runs in the sandbox: its standard streams stay as they are."""
    if words[0].rpartition("/")[2] == "sandboxd":
        return ()
    inside = ["exec", "--", *words]
    if command.kind == "array":
        return ((value(command, path, "command"), json.dumps(["sandboxd", *inside])),)
    arguments = entry.get("args")
    if arguments is None:
        text = f'"sandboxd", "args": {json.dumps(inside)}'
        return ((value(command, path, "command"), text),)
    if arguments.kind != "array":
        return ()
    return (
        (value(command, path, "command"), '"sandboxd"'),
        (value(arguments, path, "args"), json.dumps(inside)),
    )


def remote_variables(node: Node | None, path: str, key: str) -> Iterator[Value[str]]:
    """The variables and headers of the servers of a table."""
    for server, entry in members(node):
        for table in ("env", "environment", "headers", "http_headers"):
            yield from variables(entry.get(table), path, f"{key}.{server}.{table}")


def variables(node: Node | None, path: str, key: str) -> Iterator[Value[str]]:
    """The texts of a table, each under its name."""
    for name, entry in members(node):
        if entry.text() is not None:
            yield value(entry, path, f"{key}.{name}")


def hooks(node: Node | None, path: str, occasions: Mapping[str, str]) -> Iterator[Program]:
    """Commands by event: `{"SessionStart": [{"matcher": ..., "hooks": [{"command": ...}]}]}`, or flat."""
    for event, listed in members(node):
        occasion = occasions.get(event, f"at `{event}`")
        for group in listed.items[:_MOST]:
            inner = group.get("hooks")
            for entry in inner.items[:_MOST] if inner is not None else (group,):
                yield from command(entry, path, f"hooks.{event}", occasion)


def command(entry: Node | None, path: str, key: str, occasion: str) -> Iterator[Program]:
    """The command of an entry such as `{"type": "command", "command": "..."}`."""
    node = entry.get("command") if entry is not None else None
    if node is not None and node.text():
        yield Program("hook", occasion, value(node, path, key, entry))


def helper(root: Node | None, path: str, key: str, occasion: str) -> Iterator[Program]:
    """A setting whose value is a command."""
    node = at(root, *key.split("."))
    words = _words(node)
    if node is not None and words:
        first = node.items[0] if node.items else node
        text = " ".join(words)
        yield Program(
            "helper", occasion, value(first, path, key, node)._replace(value=text, written=text)
        )


def switch(
    root: Node | None, path: str, key: str, weak: object, effect: str, *, is_total: bool = False
) -> Iterator[Switch]:
    """The setting `key` where it has the value `weak`; a dot parts the names of tables."""
    node = at(root, *key.split("."))
    if node is not None and node.kind not in ("object", "array") and node.value == weak:
        yield Switch(value(node, path, key), effect, is_total)


def destination(root: Node | None, path: str, key: str, data: str) -> Iterator[Destination]:
    """The address at `key`, unless it is one of this machine."""
    node = at(root, *key.split("."))
    if node is not None and node.text() and not _is_here(node.text() or ""):
        yield Destination(value(node, path, key), data)


def _is_here(address: str) -> bool:
    """Whether an address names this machine, or a variable of whoever uses it."""
    if "$" in address:
        return True
    host = address.rpartition("://")[2].partition("/")[0].rpartition("@")[2].lower()
    name = host if host.startswith("[") else host.partition(":")[0]
    return name in _HERE or name.startswith("[::1]") or _is_loopback(name)


def _is_loopback(name: str) -> bool:
    parts = name.split(".")
    return len(parts) == 4 and parts[0] == "127" and all(part.isdecimal() for part in parts)


def _words(node: Node | None) -> list[str]:
    if node is None:
        return []
    if node.kind == "array":
        return [str(item.value) for item in node.items[:_MOST] if item.kind == "string"]
    return [str(node.value)] if node.text() else []
