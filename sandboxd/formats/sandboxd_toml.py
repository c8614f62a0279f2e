"""sandboxd.toml: it describes no container, so only rules about the file itself apply."""

from __future__ import annotations

from typing import TYPE_CHECKING

from sandboxd.formats import _defaults
from sandboxd.model.document import Document

if TYPE_CHECKING:
    from collections.abc import Sequence

    from sandboxd.findings import Change
    from sandboxd.model.container import Container
    from sandboxd.text import Edit, SourceText

NAME = "sandboxd_toml"
NAMES = ("sandboxd.toml",)
LANGUAGES: tuple[str, ...] = ()
COMMENT = "#"
WATCHED = ("**/sandboxd.toml",)
fits = _defaults.fits
recognises = _defaults.recognises
subjects = _defaults.subjects
containers = _defaults.containers
LARGEST = 64 * 1024


def matches(path: str) -> bool:
    return path.rpartition("/")[2] == "sandboxd.toml"


def parse(source: SourceText) -> Document:
    # Late: all kinds are loaded for a check, also of a devcontainer.json, which does not need it.
    from sandboxd.syntax import toml

    return Document(NAME, source, toml.parse(source.text), "toml")


def edits(
    document: Document, container: Container, changes: Sequence[Change]
) -> tuple[Edit, ...] | None:
    return None


can = _defaults.by_edits(edits)
