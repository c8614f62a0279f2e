"""`.envrc`: a script that direnv runs in the shell of whoever enters the folder, once they have allowed it.

direnv asks again when the file changes, not when a file changes that it sources.

Source: https://direnv.net/man/direnv.1.html, https://direnv.net/man/direnv-stdlib.1.html.
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

NAME = "direnv"
NAMES = (".envrc",)
LANGUAGES: tuple[str, ...] = ()
COMMENT = "#"
WATCHED = ("**/.envrc",)
LARGEST = _defaults.LARGEST
fits = _defaults.fits
recognises = _defaults.recognises
containers = _defaults.containers
edits = _defaults.no_edits
can = _defaults.by_edits(edits)

_WHEN = "when the folder is entered, once it was allowed"
_HARMLESS = ("export ", "dotenv", "PATH_add ", "layout ", "watch_file ", "use ")
"""Lines that start no program of the repository by themselves."""


def matches(path: str) -> bool:
    return path.rpartition("/")[2] in NAMES


def parse(source: SourceText) -> Document:
    return Document(NAME, source, Tree(None, (), ()), "shell")


def subjects(document: Document) -> Iterator[tuple[str, object]]:
    path = document.source.path
    commands = tuple(
        command
        for command in _hook_reader.lines(document.source, _WHEN)
        if not command.command.value.startswith(_HARMLESS) or "$(" in command.command.value
    )
    if commands:
        yield "HostHooks", HostHooks(path, "direnv", commands)
