"""`mise.toml`: programs that mise runs when a folder is entered, once the file is trusted.

Sources: https://mise.jdx.dev/hooks.html, https://mise.jdx.dev/environments/, https://mise.jdx.dev/templates.html.
Tasks run when somebody runs them, and are not looked at.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from sandboxd.findings import Place
from sandboxd.formats import _agent_reader, _defaults, _hook_reader
from sandboxd.model.document import Document
from sandboxd.model.host_hooks import HostCommand, HostHooks
from sandboxd.model.values import Origin, Value
from sandboxd.text import Span

if TYPE_CHECKING:
    from collections.abc import Iterator

    from sandboxd.syntax.node import Node
    from sandboxd.text import SourceText

NAME = "mise"
NAMES = (
    *("mise.toml", ".mise.toml", "mise.local.toml", ".mise.local.toml"),
    *("mise/config.toml", ".mise/config.toml", ".config/mise.toml"),
)
LANGUAGES: tuple[str, ...] = ()
COMMENT = "#"
WATCHED = ("**/mise.toml", "**/.mise.toml")
LARGEST = _defaults.LARGEST
fits = _defaults.fits
recognises = _defaults.recognises
containers = _defaults.containers
edits = _defaults.no_edits
can = _defaults.by_edits(edits)

_WHEN = {
    "enter": "when the folder is entered",
    "leave": "when the folder is left",
    "cd": "with each change of the folder below it",
    "preinstall": "before it installs tools",
    "postinstall": "after it installs tools",
}
_ENTERED = _WHEN["enter"]
_EXEC = re.compile(r"\bexec\(\s{0,20}command\s{0,20}=\s{0,20}(['\"`])")
_LONGEST = 2000
"""Characters of a command in a template: more than anybody writes."""


def matches(path: str) -> bool:
    *folders, name = path.split("/")
    return name in NAMES or f"{folders[-1] if folders else ''}/{name}" in NAMES


def parse(source: SourceText) -> Document:
    from sandboxd.syntax import toml

    return Document(NAME, source, toml.parse(source.text), "toml")


def subjects(document: Document) -> Iterator[tuple[str, object]]:
    root, path = document.tree.root, document.source.path
    commands = [*_hooks(root, path), *_sources(root, path), *_templates(document.source)]
    if commands:
        yield "HostHooks", HostHooks(path, "mise", tuple(commands))


def _hooks(root: Node | None, path: str) -> Iterator[HostCommand]:
    """The commands of `[hooks]`: a text, a table with a script, or a list of both; and those of watched files."""
    for hook, entry in _agent_reader.members(_agent_reader.at(root, "hooks")):
        for item in entry.items or [entry]:
            script = item.get("script") or item.get("run") or item
            yield from _hook_reader.commands(script, path, hook, _WHEN.get(hook, f"at `{hook}`"))
    watched = _agent_reader.at(root, "watch_files")
    for item in watched.items if watched is not None else ():
        run = item.get("run")
        yield from _hook_reader.commands(run, path, "watch_files", "when a watched file changes")


def _sources(root: Node | None, path: str) -> Iterator[HostCommand]:
    """The scripts of which the environment is taken."""
    source = _agent_reader.at(root, "env", "_", "source")
    if source is None:
        return
    for item in source.items or [source]:
        yield from _hook_reader.commands(item.get("path") or item, path, "env", _ENTERED)


def _templates(source: SourceText) -> Iterator[HostCommand]:
    """The commands in templates, which mise fills in when it reads the file."""
    read = 0
    for match in _EXEC.finditer(source.text):
        start = match.end()
        end = source.text.find(match[1], start + 1, start + _LONGEST + 1)
        if match.start() < read or end < 0:
            continue
        read = end + 1
        written = source.text[start:end]
        place = Place(source.path, Span(start, end))
        yield HostCommand(
            Value(" ".join(written.split()), Origin("file", source.path, "exec"), place, written),
            _ENTERED,
        )
