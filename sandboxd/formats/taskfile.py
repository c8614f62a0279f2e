"""`Taskfile.yml`: tasks of Task that call `docker run`, `podman run` and their like.

One that others include has any name: it is known by the version and the tasks without which Task refuses it.

Sources: https://taskfile.dev/docs/guide#supported-file-names, https://taskfile.dev/docs/guide#including-other-taskfiles.
Tasks run when somebody runs them, so a program alone is nothing to say.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from sandboxd.formats import _defaults
from sandboxd.model.container import Container, Unseen
from sandboxd.model.document import Document
from sandboxd.text import line_start

if TYPE_CHECKING:
    from collections.abc import Sequence

    from sandboxd.findings import Change
    from sandboxd.formats import Resolver
    from sandboxd.text import Edit, SourceText

NAME = "taskfile"
NAMES = ("*.yml", "*.yaml")
LANGUAGES: tuple[str, ...] = ()
COMMENT = "#"
WATCHED = ("**/[Tt]askfile*.{yml,yaml}",)
LARGEST = _defaults.LARGEST
subjects = _defaults.subjects

_FOUND_BY_TASK = ("taskfile.yml", "taskfile.yaml", "taskfile.dist.yml", "taskfile.dist.yaml")
_HINT = "write the command without escapes, for example in a block behind `|`"
_TASKS = re.compile(r"^(?:tasks|includes)[ \t]*:", re.MULTILINE)
_OWN_TASKS = re.compile(r"^tasks[ \t]*:", re.MULTILINE)
_VERSION = re.compile(
    r"^version[ \t]*:[ \t]*[\"']?[23](?:\.\d+){0,2}[\"']?[ \t]*(?:#.*)?$", re.MULTILINE
)


def matches(path: str) -> bool:
    name = path.rpartition("/")[2].lower()
    return name.startswith("taskfile") and name.endswith((".yml", ".yaml"))


def fits(path: str, text: str) -> bool:
    """Whether Task itself looks for a file of this name, or the content has tasks."""
    return path.rpartition("/")[2].lower() in _FOUND_BY_TASK or _TASKS.search(text) is not None


def recognises(path: str, text: str) -> bool:
    """Whether a file of another name has the version of a Taskfile, and tasks."""
    return _OWN_TASKS.search(text) is not None and _VERSION.search(text) is not None


def parse(source: SourceText) -> Document:
    from sandboxd.syntax import shell, taskfile

    return Document(NAME, source, shell.parse(taskfile.as_shell(source.text)), "shell")


def containers(document: Document, variables: Resolver) -> tuple[Container, ...]:
    """A container for each command that starts one; a last one names those that could not be judged."""
    from sandboxd.formats import _docker_commands
    from sandboxd.syntax import taskfile

    results = _docker_commands.containers(document, variables)
    source = document.source
    others = taskfile.commands_not_in_place(source.text)
    unseen = tuple(
        Unseen("arguments", _not_judged(source.position(node.span.start).line + 1), _HINT)
        for node in _docker_commands.starting(document, others)
    )
    if unseen:
        results += (Container(source.path, None, unseen=unseen, partial=True),)
    return results


def edits(
    document: Document, container: Container, changes: Sequence[Change]
) -> tuple[Edit, ...] | None:
    """The edits that make `changes`; None where a line would be left empty, which in a folded text ends the command."""
    from sandboxd.formats import _docker_commands

    text_edits = _docker_commands.edits(document, container, changes)
    text = document.source.text
    if text_edits is None or any(_leaves_line_empty(text, edit) for edit in text_edits):
        return None
    return text_edits


def _not_judged(line: int) -> str:
    return (
        f"starts a container by the command in line {line}, which is not judged:"
        " it is written with escapes or in base64"
    )


can = _defaults.by_edits(edits)


def _leaves_line_empty(text: str, edit: Edit) -> bool:
    start, end = edit.span
    newline = text.find("\n", end)
    around = text[line_start(text, start) : start] + text[end : newline if newline >= 0 else None]
    return not edit.text and not around.strip() and not text[start:end].endswith("\n")
