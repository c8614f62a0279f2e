"""Reads what a devcontainer.json, or an image's label, asks of the tool that works in the container."""

from __future__ import annotations

import json
import re
from typing import TYPE_CHECKING

from sandboxd.formats.devcontainer import forward_ports
from sandboxd.formats.devcontainer.reader import text_of
from sandboxd.model.container import Pair
from sandboxd.model.remote import NO_REMOTE, STAGES, Command, Hook, Remote, over
from sandboxd.syntax import jsonc

if TYPE_CHECKING:
    from collections.abc import Iterator

    from sandboxd.formats import Resolver
    from sandboxd.syntax.node import Node

_SHELL = ("/bin/sh", "-c")


def read(root: Node, source: str, variables: Resolver) -> Remote:
    """The hooks and the environment in one object; forms that the reference does not know are ignored.

    :param source: the file or label that it stands in, in words
    """
    ports = forward_ports.read(root)
    return Remote(
        tuple(_hooks(root, source, variables)),
        text_of(root.get("waitFor")) or "",
        tuple(_environment(root, variables)),
        text_of(root.get("userEnvProbe")) or "",
        ports=ports.ports,
        no_ports=ports.none,
        asks_for=tuple(_secrets(root)),
    )


def _secrets(root: Node) -> Iterator[str]:
    """Names of the variables that `secrets` asks for."""
    node = root.get("secrets")
    for name, _ in node.members if node is not None and node.kind == "object" else ():
        text = str(name.value)
        if re.fullmatch(r"[A-Za-z_][A-Za-z0-9_]{0,99}", text):
            yield text


def of_label(text: str, variables: Resolver) -> Remote:
    """The settings in a label ``devcontainer.metadata``, whose entries are merged in their order.

    It holds an array of objects, or one. Other text the dev container CLI ignores.
    """
    try:
        json.loads(text)
    except (ValueError, RecursionError):
        return NO_REMOTE
    root = jsonc.parse(text).root
    remote = NO_REMOTE
    for entry in (root.items or [root]) if root is not None else ():
        if entry.kind == "object":
            feature = text_of(entry.get("id"))
            source = f"Feature `{feature}`" if feature else "the image's label"
            remote = over(remote, read(entry, source, variables))
    return remote


def _hooks(root: Node, source: str, variables: Resolver) -> Iterator[Hook]:
    for stage in STAGES:
        node = root.get(stage)
        if node is None:
            continue
        if node.kind == "object":
            parts = [(str(key.value), value) for key, value in node.members]
        else:
            parts = [("", node)]
        commands = [_command(name, value, variables) for name, value in parts]
        runnable = tuple(command for command in commands if command is not None)
        if runnable:
            yield Hook(stage, source, runnable)


def _command(name: str, node: Node, variables: Resolver) -> Command | None:
    """The command in a node: text for a shell, or a list with a program and its arguments."""
    if node.kind == "array":
        words = tuple(variables.resolve(str(item.value)) for item in node.items)
        return Command(name, words, " ".join(words)) if words else None
    text = variables.resolve(text_of(node) or "")
    return Command(name, (*_SHELL, text), text) if text.strip() else None


def _environment(root: Node, variables: Resolver) -> Iterator[Pair]:
    node = root.get("remoteEnv")
    for key, value in node.members if node is not None else ():
        if (text := value.text()) is not None:
            yield Pair(str(key.value), variables.resolve(text))
