"""Docker's `daemon.json`."""

from __future__ import annotations

from typing import TYPE_CHECKING

from sandboxd.formats import _defaults
from sandboxd.model.document import Document

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from typing import Any

    from sandboxd.findings import Change
    from sandboxd.text import Edit, SourceText

NAME = "daemon_json"
NAMES = ("daemon.json",)
LANGUAGES: tuple[str, ...] = ()
COMMENT = ""
WATCHED: tuple[str, ...] = ()
LARGEST = _defaults.LARGEST
fits = _defaults.fits
recognises = _defaults.recognises
containers = _defaults.containers


def matches(path: str) -> bool:
    return path.rpartition("/")[2] == "daemon.json"


def parse(source: SourceText) -> Document:
    from sandboxd.syntax import go_json

    return Document(NAME, source, go_json.parse(source.text))


def subjects(document: Document) -> Iterator[tuple[str, object]]:
    """The configuration; nothing for the file of another program with this name."""
    from sandboxd.formats._daemon_reader import config

    read = config(document)
    if read is not None:
        yield "DaemonConfig", read


def edits(document: Document, subject: Any, changes: Sequence[Change]) -> tuple[Edit, ...] | None:
    from sandboxd.formats import _json_edits

    return _json_edits.edits(document, changes, lambda root, _: root)


can = _defaults.by_edits(edits)
