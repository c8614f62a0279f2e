"""Settings and tasks that a repository gives to the editor that opens it."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Iterator

    from sandboxd.model.values import Value


class EditorSettings(NamedTuple):
    """Settings of VS Code; a value's key is in its origin.

    `scalars` holds text, numbers and switches. A value in an object or a list has its path as key:
    ``terminal.integrated.profiles.linux/bash/path``.
    """

    path: str
    scalars: tuple[Value[object], ...]
    is_inside: bool = False
    """Whether they hold in the container that the file describes alone, and not on the host."""

    def named(self, name: str) -> Iterator[Value[object]]:
        """The values of a setting, whether its name is written with dots or as nested objects.

        Nested ones passed the editor's own Restricted Mode (microsoft/vscode #335112).
        """
        return (value for value in self.scalars if dotted(value) == name)

    def below(self, name: str) -> Iterator[tuple[str, Value[object]]]:
        """The entries of a setting that is an object, each with its key; of inner objects with the path."""
        for value in self.scalars:
            if dotted(value).startswith(f"{name}."):
                yield value.origin.key[len(name) + 1 :], value


class EditorTask(NamedTuple):
    """A task of VS Code. `run_on` is the event that starts it by itself, `hidden` that its output is not shown."""

    label: str
    command: str
    run_on: Value[str] | None
    hidden: bool


def dotted(value: Value[object]) -> str:
    """The key of a value with dots, however it is written."""
    return value.origin.key.replace("/", ".")
