"""Seccomp profiles: a JSON file by any name with `defaultAction` and `syscalls`."""

from __future__ import annotations

from typing import TYPE_CHECKING

from sandboxd.formats import _defaults
from sandboxd.model.document import Document

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from typing import Any

    from sandboxd.findings import Change
    from sandboxd.text import Edit, SourceText

NAME = "seccomp"
NAMES = ("*.json",)
LANGUAGES: tuple[str, ...] = ()
COMMENT = ""
WATCHED: tuple[str, ...] = ()
LARGEST = _defaults.LARGEST
fits = _defaults.fits
containers = _defaults.containers


def matches(path: str) -> bool:
    """Whether a file, or the folder that it is in, is named after seccomp."""
    folder, _, name = path.lower().rpartition("/")
    return name.endswith(".json") and (
        "seccomp" in name or folder.rpartition("/")[2] in ("seccomp", "seccomp-profiles")
    )


def recognises(path: str, text: str) -> bool:
    """Whether the text is a JSON object with a profile's keys, in any case, and an action of libseccomp."""
    text = text.lower()
    if "\\u" in text:
        import re

        text = re.sub(r"\\u00([0-7][0-9a-f])", lambda code: chr(int(code[1], 16)), text).lower()
    return '"defaultaction"' in text and '"syscalls"' in text and '"scmp_act_' in text


def parse(source: SourceText) -> Document:
    from sandboxd.syntax import go_json

    return Document(NAME, source, go_json.parse(source.text))


def subjects(document: Document) -> Iterator[tuple[str, object]]:
    """The profile; nothing when the file only has the name of one."""
    from sandboxd.formats._seccomp_reader import profile

    read = profile(document)
    if read is not None:
        yield "SeccompProfile", read


def edits(document: Document, subject: Any, changes: Sequence[Change]) -> tuple[Edit, ...] | None:
    from sandboxd.formats import _json_edits, _seccomp_reader

    return _json_edits.edits(document, changes, _seccomp_reader.target)


can = _defaults.by_edits(edits)
