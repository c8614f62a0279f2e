"""A parsed file."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from sandboxd.syntax.node import Tree
from sandboxd.text import SourceText

if TYPE_CHECKING:
    from typing import Literal

    Language = Literal["jsonc", "toml", "yaml", "dockerfile", "apparmor", "shell", "markdown"]


class Document(NamedTuple):
    """A parsed file.

    `kind` is the name of a module of `formats`, e.g. ``devcontainer`` or ``sandboxd_toml``.
    """

    kind: str
    source: SourceText
    tree: Tree
    language: Language = "jsonc"
