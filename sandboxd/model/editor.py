"""Settings and tasks that a repository gives to the editor that opens it."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from sandboxd.model.values import Value


class EditorSettings(NamedTuple):
    """Settings of VS Code; the key of each is its origin's. Of objects the texts are listed.

    `scalars` holds text, numbers and switches. What stands in an object or a list is there with
    its path: ``terminal.integrated.profiles.linux/bash/path``.
    """

    path: str
    scalars: tuple[Value[object], ...]


class EditorTask(NamedTuple):
    """A task of VS Code. `run_on` says when it starts by itself, `hidden` that its output is not shown."""

    label: str
    command: str
    run_on: Value[str] | None
    hidden: bool
