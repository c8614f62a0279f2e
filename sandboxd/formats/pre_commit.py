"""`.pre-commit-config.yaml`: programs that pre-commit runs around commits.

Only those of `repo: local` are commands of the repository, and of them those whose language runs what is on
the machine; the others are fetched by their pinned revision into an environment of their own.

Source: https://pre-commit.com/#creating-new-hooks, https://pre-commit.com/#repository-local-hooks.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from sandboxd.formats import _agent_reader, _defaults, _hook_reader
from sandboxd.model.document import Document
from sandboxd.model.host_hooks import HostHooks

if TYPE_CHECKING:
    from collections.abc import Iterator

    from sandboxd.model.host_hooks import HostCommand
    from sandboxd.syntax.node import Node
    from sandboxd.text import SourceText

NAME = "pre_commit"
NAMES = (".pre-commit-config.yaml", ".pre-commit-config.yml")
LANGUAGES: tuple[str, ...] = ()
COMMENT = "#"
WATCHED = ("**/.pre-commit-config.{yaml,yml}",)
LARGEST = _defaults.LARGEST
fits = _defaults.fits
recognises = _defaults.recognises
containers = _defaults.containers
edits = _defaults.no_edits
can = _defaults.by_edits(edits)

_ON_MACHINE = ("system", "script", "unsupported", "unsupported_script")


def matches(path: str) -> bool:
    return path.rpartition("/")[2] in NAMES


def parse(source: SourceText) -> Document:
    from sandboxd.syntax import yaml_expanded

    return Document(NAME, source, yaml_expanded.parse(source.text), "yaml")


def subjects(document: Document) -> Iterator[tuple[str, object]]:
    path, root = document.source.path, document.tree.root
    repositories = _agent_reader.at(root, "repos")
    commands = [
        command
        for repository in (repositories.items if repositories is not None else ())
        if (repository.get("repo") or repository).text() == "local"
        for hook in _entries(repository.get("hooks"))
        for command in _commands(hook, path, _default_stages(root))
    ]
    if commands:
        yield "HostHooks", HostHooks(path, "pre-commit", tuple(commands))


def _entries(node: Node | None) -> list[Node]:
    return node.items if node is not None else []


def _commands(hook: Node, path: str, stages: list[str]) -> Iterator[HostCommand]:
    language = hook.get("language")
    if (language.text() if language is not None else "") not in _ON_MACHINE:
        return
    own = [stage.text() or "" for stage in _entries(hook.get("stages"))]
    name = hook.get("id")
    key = f"repos.local.{name.text() if name is not None else ''}"
    when = " and ".join(dict.fromkeys(map(_occasion, own or stages or ["pre-commit"])))
    yield from _hook_reader.commands(hook.get("entry"), path, key, when)


def _default_stages(root: Node | None) -> list[str]:
    return [stage.text() or "" for stage in _entries(_agent_reader.at(root, "default_stages"))]


def _occasion(stage: str) -> str:
    """The occasion at which a stage runs; `commit` and `push` are old names of two stages, `manual` is no git hook."""
    if stage == "manual":
        return "when it is asked for"
    return _hook_reader.occasion({"commit": "pre-commit", "push": "pre-push"}.get(stage, stage))
