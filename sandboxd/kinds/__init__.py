"""File kinds: one module for each kind of file, found by looking into this folder."""

from __future__ import annotations

import os
from importlib import import_module

from sandboxd._typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence
    from typing import Protocol

    from sandboxd.findings import Change
    from sandboxd.model.container import Container
    from sandboxd.model.document import Document
    from sandboxd.text import Edit, SourceText

    class Resolver(Protocol):
        """What a kind needs to know of `effective.variables`."""

        def resolve(self, text: str) -> str:
            """`text` with the variables that are known, the others kept as ``${...}``."""

        def host_path(self, text: str) -> str:
            """The host path that `text` names, symbolic links of the workspace followed if known."""

        def inside(self, workspace: str) -> Resolver:
            """The same, for a container that has the workspace at `workspace`."""

    class Kind(Protocol):
        """A module of `sandboxd.kinds`. `in_place` is optional; `matches` stands in for it."""

        NAME: str

        def matches(self, path: str) -> bool:
            """Whether a file of this name, opened or named by a person, is of this kind."""

        def in_place(self, path: str) -> bool:
            """Whether a file found below a folder stands where its tools look for it."""

        def parse(self, source: SourceText) -> Document: ...

        def containers(self, document: Document, variables: Resolver) -> tuple[Container, ...]:
            """What the file says, in the order in which the engine gets it.

            Descriptions with the same name are layers of one container: see `effective.container`.
            """

        def edits(
            self, document: Document, container: Container, changes: Sequence[Change]
        ) -> tuple[Edit, ...] | None:
            """The edits of the file that make `changes`; None where it cannot say them."""


_loaded: dict[str, Kind] = {}


def load() -> dict[str, Kind]:
    """All kinds by name."""
    if not _loaded:
        names = sorted(
            name[:-3]
            for name in os.listdir(os.path.dirname(__file__))
            if name.endswith(".py") and not name.startswith("_")
        )
        for name in names:
            _loaded[name] = import_module(f"sandboxd.kinds.{name}")
    return _loaded


def get(name: str) -> Kind:
    """The kind that a `Document` names."""
    return load()[name]


def find(path: str) -> Kind | None:
    """The kind of a file that somebody opened or named, by its name; None if it is none of ours."""
    path = path.replace(os.sep, "/")
    for kind in load().values():
        if kind.matches(path):
            return kind
    return None


def find_in_tree(path: str) -> Kind | None:
    """As `find`, for a file met on a walk: only where the tools that read it would look."""
    path = path.replace(os.sep, "/")
    for kind in load().values():
        if getattr(kind, "in_place", kind.matches)(path):
            return kind
    return None
