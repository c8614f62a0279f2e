"""Default members of a kind: a kind's module imports those for which it needs nothing of its own."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from typing import Any

    from sandboxd.findings import Change
    from sandboxd.formats import Resolver
    from sandboxd.model.container import Container
    from sandboxd.model.document import Document
    from sandboxd.text import Edit

    Edits = Callable[[Document, Any, Sequence[Change]], tuple[Edit, ...] | None]
    Can = Callable[[Document, Any, Sequence[Change]], bool]

LARGEST = 512 * 1024
"""Eight times the largest real file of most kinds; a check of one takes 0.6 to 1.4 s."""


def fits(path: str, text: str) -> bool:
    """True: every file of a matching name is of the kind."""
    return True


def recognises(path: str, text: str) -> bool:
    """False: no file of another name is of the kind."""
    return False


def subjects(document: Document) -> tuple[tuple[str, object], ...]:
    """Return (): the file describes nothing but containers."""
    return ()


def containers(document: Document, variables: Resolver) -> tuple[Container, ...]:
    """Return (): the file describes no container."""
    return ()


def no_edits(
    document: Document, subject: Any, changes: Sequence[Change]
) -> tuple[Edit, ...] | None:
    """None: no finding in the file has a fix."""
    return None


def json_edits(
    document: Document, subject: Any, changes: Sequence[Change]
) -> tuple[Edit, ...] | None:
    """The edits of a JSON file whose additions go into its outermost object."""
    from sandboxd.formats import _json_edits

    return _json_edits.edits(document, changes, lambda root, _: root)


def toml_edits(
    document: Document, subject: Any, changes: Sequence[Change]
) -> tuple[Edit, ...] | None:
    """The edits of a TOML file whose settings are replaced or go."""
    from sandboxd.formats import _toml_edits

    return _toml_edits.edits(document, changes)


def by_edits(edits: Edits) -> Can:
    """A `can` that answers by whether `edits` gives any."""

    def can(document: Document, subject: Any, changes: Sequence[Change]) -> bool:
        return bool(edits(document, subject, changes))

    return can
