"""Scripts below `.husky/`: husky has git run them around commits, once `npm install` was run.

Source: https://typicode.github.io/husky/how-to.html.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from sandboxd.formats import _defaults, _hook_reader
from sandboxd.model.document import Document
from sandboxd.model.host_hooks import HostHooks
from sandboxd.syntax.node import Tree

if TYPE_CHECKING:
    from collections.abc import Iterator

    from sandboxd.text import SourceText

NAME = "husky"
NAMES = tuple(f".husky/{hook}" for hook in _hook_reader.OCCASIONS)
LANGUAGES: tuple[str, ...] = ()
COMMENT = "#"
WATCHED = ("**/.husky/*",)
LARGEST = _defaults.LARGEST
fits = _defaults.fits
recognises = _defaults.recognises
containers = _defaults.containers
edits = _defaults.no_edits
can = _defaults.by_edits(edits)

_OWN_START = "/_/husky.sh"
"""The line by which scripts of husky 8 and before begin."""


def matches(path: str) -> bool:
    return path.replace("\\", "/").endswith(tuple(f"/{name}" for name in NAMES)) or path in NAMES


def parse(source: SourceText) -> Document:
    return Document(NAME, source, Tree(None, (), ()), "shell")


def subjects(document: Document) -> Iterator[tuple[str, object]]:
    path = document.source.path
    hook = path.replace("\\", "/").rpartition("/")[2]
    commands = tuple(
        command
        for command in _hook_reader.lines(document.source, _hook_reader.occasion(hook))
        if _OWN_START not in command.command.value
    )
    if commands:
        yield "HostHooks", HostHooks(path, "husky", commands)
