"""`lefthook.yml`, `.toml` and `.json`: programs that Lefthook runs around commits.

Source: https://lefthook.dev/configuration/.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from sandboxd.formats import _agent_reader, _defaults, _hook_reader
from sandboxd.model.document import Document
from sandboxd.model.host_hooks import HostCommand, HostHooks

if TYPE_CHECKING:
    from collections.abc import Iterator

    from sandboxd.syntax.node import Node
    from sandboxd.text import SourceText

NAME = "lefthook"
NAMES = tuple(
    f"{name}.{ending}"
    for name in ("lefthook", ".lefthook", "lefthook-local", ".lefthook-local")
    for ending in ("yml", "yaml", "toml", "json")
)
LANGUAGES: tuple[str, ...] = ()
COMMENT = "#"
WATCHED = ("**/lefthook.{yml,yaml,toml,json}", "**/.lefthook.{yml,yaml,toml,json}")
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
    if source.path.endswith(".toml"):
        from sandboxd.syntax import toml

        return Document(NAME, source, toml.parse(source.text), "toml")
    if source.path.endswith(".json"):
        from sandboxd.syntax import jsonc

        return Document(NAME, source, jsonc.parse(source.text))
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
    commands += _remotes(root, path)
    if commands:
        yield "HostHooks", HostHooks(path, "Lefthook", tuple(commands))


def _remotes(root: Node | None, path: str) -> Iterator[HostCommand]:
    """The repositories of others whose hooks are fetched and run as if they were written here."""
    listed = _agent_reader.at(root, "remotes")
    single = _agent_reader.at(root, "remote")
    for remote in [*(listed.items if listed is not None else ()), single]:
        url = _agent_reader.at(remote, "git_url")
        when = "with the hooks that it has, now and later"
        if _agent_reader.at(remote, "ref") is not None:
            when = "with the hooks that it has"
        yield from _hook_reader.commands(url, path, "remotes", when)


def _commands(settings: Node, path: str, hook: str) -> Iterator[HostCommand]:
    when = _hook_reader.occasion(hook)
    for name, entry in _agent_reader.members(settings.get("commands")):
        yield from _hook_reader.commands(entry.get("run"), path, f"{hook}.{name}", when)
    for name, entry in _agent_reader.members(settings.get("scripts")):
        for runner, _ in _hook_reader.commands(entry.get("runner"), path, f"{hook}.{name}", when):
            file = f"{runner.value} .lefthook/{hook}/{name}"
            yield HostCommand(runner._replace(value=file), when)
    yield from _jobs(settings.get("jobs"), path, hook, when, _MOST_DEPTH)


def _jobs(node: Node | None, path: str, hook: str, when: str, depth: int) -> Iterator[HostCommand]:
    """The commands of a job, which runs one or is a group of jobs."""
    for job in node.items if node is not None and depth else ():
        yield from _hook_reader.commands(job.get("run"), path, f"{hook}.jobs", when)
        group = job.get("group")
        if group is not None:
            yield from _jobs(group.get("jobs"), path, hook, when, depth - 1)
