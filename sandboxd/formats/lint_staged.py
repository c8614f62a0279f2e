"""`.lintstagedrc`: programs that lint-staged runs on the files of a commit.

Source: https://github.com/lint-staged/lint-staged#configuration. Settings within package.json: `package_json`.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from sandboxd.formats import _agent_reader, _defaults, _hook_reader
from sandboxd.model.document import Document
from sandboxd.model.host_hooks import HostHooks

if TYPE_CHECKING:
    from collections.abc import Iterator

    from sandboxd.text import SourceText

NAME = "lint_staged"
NAMES = (".lintstagedrc", ".lintstagedrc.json", ".lintstagedrc.yaml", ".lintstagedrc.yml")
LANGUAGES: tuple[str, ...] = ()
COMMENT = ""
WATCHED = ("**/.lintstagedrc*",)
LARGEST = _defaults.LARGEST
fits = _defaults.fits
recognises = _defaults.recognises
containers = _defaults.containers
edits = _defaults.no_edits
can = _defaults.by_edits(edits)


def matches(path: str) -> bool:
    return path.rpartition("/")[2] in NAMES


def parse(source: SourceText) -> Document:
    from sandboxd.syntax import jsonc, yaml_expanded

    if source.path.endswith(".json") or source.text.lstrip().startswith("{"):
        return Document(NAME, source, jsonc.parse(source.text))
    return Document(NAME, source, yaml_expanded.parse(source.text), "yaml")


def subjects(document: Document) -> Iterator[tuple[str, object]]:
    path = document.source.path
    when = _hook_reader.occasion("pre-commit")
    commands = tuple(
        command
        for pattern, entry in _agent_reader.members(document.tree.root)
        for command in _hook_reader.commands(entry, path, pattern, when)
    )
    if commands:
        yield "HostHooks", HostHooks(path, "lint-staged", commands)
