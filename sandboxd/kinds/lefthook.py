"""`lefthook.yml`: programs that Lefthook runs around commits.

Source: https://lefthook.dev/configuration/.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from sandboxd.kinds import _agent_reader, _defaults, _hook_reader
from sandboxd.model.document import Document
from sandboxd.model.host_hooks import HostHooks

if TYPE_CHECKING:
    from collections.abc import Iterator

    from sandboxd.model.host_hooks import HostCommand
    from sandboxd.syntax.node import Node
    from sandboxd.text import SourceText

NAME = "lefthook"
NAMES = tuple(
    f"{name}.{ending}"
    for name in ("lefthook", ".lefthook", "lefthook-local", ".lefthook-local")
    for ending in ("yml", "yaml")
)
LANGUAGES: tuple[str, ...] = ()
COMMENT = "#"
WATCHED = ("**/lefthook.{yml,yaml}", "**/.lefthook.{yml,yaml}")
LARGEST = _defaults.LARGEST
fits = _defaults.fits
recognises = _defaults.recognises
containers = _defaults.containers
edits = _defaults.no_edits
can = _defaults.by_edits(edits)

_MOST_DEPTH = 5


def matches(path: str) -> bool:
    return path.rpartition("/")[2] in NAMES


def parse(source: SourceText) -> Document:
    from sandboxd.syntax import yaml_expanded

    return Document(NAME, source, yaml_expanded.parse(source.text), "yaml")


def subjects(document: Document) -> Iterator[tuple[str, object]]:
    path, root = document.source.path, document.tree.root
    commands = [
        command
        for hook, settings in _agent_reader.members(root)
        if hook in _hook_reader.OCCASIONS
        for command in _commands(settings, path, hook)
    ]
    if commands:
        yield "HostHooks", HostHooks(path, "Lefthook", tuple(commands))


def _commands(settings: Node, path: str, hook: str) -> Iterator[HostCommand]:
    when = _hook_reader.occasion(hook)
    for name, entry in _agent_reader.members(settings.get("commands")):
        yield from _hook_reader.commands(entry.get("run"), path, f"{hook}.{name}", when)
    yield from _jobs(settings.get("jobs"), path, hook, when, _MOST_DEPTH)


def _jobs(node: Node | None, path: str, hook: str, when: str, depth: int) -> Iterator[HostCommand]:
    """The commands of a job, which runs one or is a group of jobs."""
    for job in node.items if node is not None and depth else ():
        yield from _hook_reader.commands(job.get("run"), path, f"{hook}.jobs", when)
        group = job.get("group")
        if group is not None:
            yield from _jobs(group.get("jobs"), path, hook, when, depth - 1)
