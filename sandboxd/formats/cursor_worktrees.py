"""`.cursor/worktrees.json`: commands that Cursor runs when it makes a work tree for an agent.

Source: https://cursor.com/docs/configuration/worktrees. `.cursor/environment.json` sets up a machine of Cursor's
own, where the agents in the cloud work: nothing of it runs here, so it is not read.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from sandboxd.formats import _agent_reader, _defaults, _hook_reader
from sandboxd.model.document import Document
from sandboxd.model.host_hooks import HostCommand, HostHooks

if TYPE_CHECKING:
    from collections.abc import Iterator

    from sandboxd.text import SourceText

NAME = "cursor_worktrees"
NAMES = (".cursor/worktrees.json",)
LANGUAGES: tuple[str, ...] = ()
COMMENT = ""
WATCHED = ("**/.cursor/worktrees.json",)
LARGEST = _defaults.LARGEST
fits = _defaults.fits
recognises = _defaults.recognises
containers = _defaults.containers
edits = _defaults.no_edits
can = _defaults.by_edits(edits)

_KEYS = ("setup-worktree", "setup-worktree-unix", "setup-worktree-windows")
_WHEN = "when an agent gets a work tree"


def matches(path: str) -> bool:
    return path.endswith(NAMES)


def parse(source: SourceText) -> Document:
    from sandboxd.syntax import jsonc

    return Document(NAME, source, jsonc.parse(source.text))


def subjects(document: Document) -> Iterator[tuple[str, object]]:
    commands = tuple(_commands(document))
    if commands:
        yield "HostHooks", HostHooks(document.source.path, "Cursor", commands)


def _commands(document: Document) -> Iterator[HostCommand]:
    """The commands of a list; a text alone is the path of a script beside the file."""
    path = document.source.path
    for key in _KEYS:
        node = _agent_reader.at(document.tree.root, key)
        for command, when in _hook_reader.commands(node, path, key, _WHEN):
            is_script = node is not None and node.kind != "array"
            value = f".cursor/{command.value}" if is_script else command.value
            yield HostCommand(command._replace(value=value), when)
