"""Settings and tasks that a repository gives to the editor that opens it."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Iterator

    from sandboxd.model.values import Value


class EditorSettings(NamedTuple):
    """Settings of VS Code; the key of each value is in its origin.

    `scalars` has strings, numbers and booleans. The key of a value in an object or list is its path:
    ``terminal.integrated.profiles.linux/bash/path``.
    """

    path: str
    scalars: tuple[Value[object], ...]
    is_inside: bool = False
    """Whether they apply only in the container that the file describes, not on the host."""

    def named(self, name: str) -> Iterator[Value[object]]:
        """Yield the values of a setting, whether its name is written with dots or as nested objects.

        Nested objects bypassed the editor's own Restricted Mode (microsoft/vscode #335112).
        """
        return (value for value in self.scalars if dotted(value) == name)

    def below(self, name: str) -> Iterator[tuple[str, Value[object]]]:
        """Yield the entries of a setting that is an object: the key, in inner objects the path, and the value."""
        for value in self.scalars:
            if dotted(value).startswith(f"{name}."):
                yield value.origin.key[len(name) + 1 :], value


class EditorTask(NamedTuple):
    """A task of VS Code. `run_on` is the event that starts it automatically; `hidden`: its output is not shown."""

    label: str
    command: str
    run_on: Value[str] | None
    hidden: bool


def dotted(value: Value[object]) -> str:
    """The key of a value written with dots, even if the file uses nested objects."""
    return value.origin.key.replace("/", ".")
