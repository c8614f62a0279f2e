"""File kinds: one module, or one folder, for each kind of file.

A helper of several kinds stands beside them and has an underscore; one of a single kind is in its folder.

The index beside it, which `./dev docs` writes, says which kinds there are.
"""

from __future__ import annotations

import os
from importlib import import_module
from typing import TYPE_CHECKING

from sandboxd.formats._index import KINDS, LANGUAGES, WATCHED

__all__ = [
    "KINDS",
    "LANGUAGES",
    "LARGEST",
    "WATCHED",
    "find",
    "find_in_tree",
    "get",
    "keep",
    "load",
    "of_language",
    "parsed",
]

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence
    from typing import Any, Protocol

    from sandboxd.findings import Change
    from sandboxd.model.container import Container
    from sandboxd.model.document import Document
    from sandboxd.model.files import Files, ParsedTexts
    from sandboxd.model.image_facts import ImageFacts
    from sandboxd.text import Edit, SourceText

    class Resolver(Protocol):
        """The part of `formats.resolved.variables` that a kind needs."""

        def resolve(self, text: str) -> str:
            """`text` with the variables that are known, the others kept as ``${...}``."""

        def host_path(self, text: str) -> str:
            """The host path that `text` names, symbolic links of the workspace followed if known."""

        def inside(self, workspace: str) -> Resolver:
            """The resolver for a container that has the workspace at the path `workspace`."""

        def environment(self, name: str) -> str | None:
            """An environment variable of the config's user, None if it is not known."""

        def read(self, path: str, beside: str) -> SourceText:
            """A file that the one at `beside` names.

            :raises UnreadableError: it cannot be read, or lies outside of the project
            """

        def image(self, name: str) -> ImageFacts | None:
            """Facts that an engine gave about the image of this name, None if none was asked."""

        @property
        def files(self) -> Files | None: ...

    class Kind(Protocol):
        """A module of `sandboxd.formats`; `_defaults` has what most of them need no other of."""

        @property
        def NAME(self) -> str: ...

        @property
        def NAMES(self) -> tuple[str, ...]:
            """Patterns of the file's lower-case name, `*` for anything; with a `/`, of its
            folder's and its own."""

        @property
        def LANGUAGES(self) -> tuple[str, ...]:
            """The names that editors have for the language, where they say what file it is."""

        @property
        def COMMENT(self) -> str:
            """The mark of a comment up to the end of the line, '' where there are none."""

        @property
        def WATCHED(self) -> tuple[str, ...]:
            """Globs of the files whose changes an editor has to tell of."""

        @property
        def LARGEST(self) -> int:
            """The most bytes that such a file may have, so that a check takes less than two seconds."""

        def matches(self, path: str, /) -> bool:
            """Return True if a file of this name is of this kind."""

        def fits(self, path: str, text: str, /) -> bool:
            """Return True if a file of a matching name is of this kind by its first lines.

            Other files have such names as well (`apparmor/LICENSE`); half-typed text fits.
            """

        def recognises(self, path: str, text: str, /) -> bool:
            """Return True if a file whose name says nothing is of this kind by its content."""

        def parse(self, source: SourceText, /) -> Document: ...

        def subjects(self, document: Document, /) -> Iterable[tuple[str, object]]:
            """Yield the other things that the file describes, each with the name of its type."""

        def containers(self, document: Document, variables: Resolver, /) -> tuple[Container, ...]:
            """Return the containers of the file, layers in the order in which the engine gets them.

            Descriptions with the same name are layers of one container: see `formats.resolved.container`.
            """

        def edits(
            self, document: Document, subject: Any, changes: Sequence[Change], /
        ) -> tuple[Edit, ...] | None:
            """The edits of the file that make `changes`; None where it cannot say them.

            `subject` is the container, or the other thing, that the changes are about.

            :raises NotInTreeError: a changed value is no part of the document's tree
            """

        def can(self, document: Document, subject: Any, changes: Sequence[Change], /) -> bool:
            """Return True if `edits` has an answer; for some kinds this takes a fraction of the time.

            :raises NotInTreeError: as `edits`
            """


LARGEST = 4 * 1024 * 1024
"""The most bytes that a file of any kind may have; most kinds have a lower limit of their own."""

_loaded: dict[str, Kind] = {}


def load() -> dict[str, Kind]:
    """All kinds by name."""
    return {name: get(name) for name in KINDS}


def get(name: str) -> Kind:
    """The kind that a `Document` names."""
    kind = _loaded.get(name)
    if kind is None:
        kind = _loaded[name] = import_module(f"sandboxd.formats.{name}")
    return kind


def parsed(name: str, source: SourceText, texts: Files | ParsedTexts | None) -> Document:
    """`source` parsed by the kind `name`, once for all who share `texts`."""
    parse = get(name).parse
    return parse(source) if texts is None else texts.parsed(source, parse)


def keep(document: Document, texts: Files) -> None:
    """Store `document` in `texts`, so that `parsed` returns it for its text."""
    texts.parsed_texts.keep(document.source, get(document.kind).parse, document)


def find(path: str, text: str | None = None) -> Kind | None:
    """The kind of a file that somebody opened or named; None if it is none of ours.

    The name decides; so does `text`, if it is given, where other files have such a name too (see `fits`), or
    where the name says nothing (see `recognises`).
    """
    path = path.replace(os.sep, "/")
    for kind in _candidates(path):
        if kind.matches(path) and (text is None or kind.fits(path, text)):
            return kind
    if text is not None:
        for kind in _candidates(path):
            if kind.recognises(path, text):
                return kind
    return None


def find_in_tree(path: str) -> Kind | None:
    """The kind of a file met on a walk, by its name alone; see `Kind.fits` for the rest."""
    return find(path)


def of_language(name: str) -> str:
    """The name of the kind for an editor's language id; '' for none."""
    return LANGUAGES.get(name.lower(), "")


def _candidates(path: str) -> Iterator[Kind]:
    """The kinds that a file of this name may be of; no others are imported."""
    folder, _, name = path.lower().rpartition("/")
    below = f"{folder.rpartition('/')[2]}/{name}"
    for kind, patterns in KINDS.items():
        if any(_fits(below if "/" in pattern else name, pattern) for pattern in patterns):
            yield get(kind)


def _fits(name: str, pattern: str) -> bool:
    """Whether `name` fits `pattern`, where a `*` stands for anything."""
    first, *rest = pattern.split("*")
    if not rest:
        return name == pattern
    if not name.startswith(first):
        return False
    at = len(first)
    for part in rest[:-1]:
        at = name.find(part, at)
        if at < 0:
            return False
        at += len(part)
    return name.endswith(rest[-1]) and len(name) - len(rest[-1]) >= at
