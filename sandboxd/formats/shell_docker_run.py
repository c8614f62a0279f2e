"""Shell scripts, Makefiles and justfiles that call `docker run`, `podman run` and their like."""

from __future__ import annotations

from typing import TYPE_CHECKING

from sandboxd.formats import _defaults
from sandboxd.model.document import Document

if TYPE_CHECKING:
    from collections.abc import Sequence

    from sandboxd.findings import Change
    from sandboxd.formats import Resolver
    from sandboxd.model.container import Container
    from sandboxd.text import Edit, SourceText

NAME = "shell_docker_run"
NAMES = ("*.sh", "*.bash", "*.mk", "makefile", "gnumakefile", "justfile", ".justfile", "*.just")
LANGUAGES = ("shellscript",)
COMMENT = "#"
WATCHED: tuple[str, ...] = ()
LARGEST = _defaults.LARGEST
fits = _defaults.fits
recognises = _defaults.recognises
subjects = _defaults.subjects


def matches(path: str) -> bool:
    name = path.rpartition("/")[2].lower()
    return name.endswith((".sh", ".bash")) or is_makefile(path) or is_justfile(path)


def is_justfile(path: str) -> bool:
    name = path.rpartition("/")[2].lower()
    return name in ("justfile", ".justfile") or name.endswith(".just")


def is_makefile(path: str) -> bool:
    name = path.rpartition("/")[2].lower()
    return name in ("makefile", "gnumakefile") or name.endswith(".mk")


def parse(source: SourceText) -> Document:
    from sandboxd.syntax import shell

    text = source.text
    if is_justfile(source.path):
        from sandboxd.syntax import justfile

        text = justfile.as_shell(text)
    return Document(NAME, source, shell.parse(text, is_makefile(source.path)), "shell")


def containers(document: Document, variables: Resolver) -> tuple[Container, ...]:
    """A container for each command that starts one."""
    from sandboxd.formats import _docker_commands

    path = document.source.path
    known: dict[str, str] = {}
    if is_justfile(path):
        from sandboxd.syntax import justfile

        known = justfile.variables(document.source.text)
    return _docker_commands.containers(document, variables, make=is_makefile(path), known=known)


def edits(
    document: Document, container: Container, changes: Sequence[Change]
) -> tuple[Edit, ...] | None:
    from sandboxd.formats import _docker_commands

    return _docker_commands.edits(document, container, changes)


can = _defaults.by_edits(edits)
