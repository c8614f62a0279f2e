"""Conditions for a rule to have something to say: see `findings.RuleMeta.needs`.

They stand in the index, so that whether one holds is known without the import of a rule.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from typing import Any

    from sandboxd.model.document import Document


class Field(NamedTuple):
    """The subject has something in this field."""

    field: str

    def holds(self, subject: object) -> bool:
        return bool(getattr(subject, self.field, None))


class Has(NamedTuple):
    """One value of a field is this text, or is named or typed so (`cap_add`, `security_opt`)."""

    field: str
    text: str

    def holds(self, subject: object) -> bool:
        for located in _values(subject, self.field):
            value = located.value
            if type(value) is not str:
                value = getattr(value, "name", None) or getattr(value, "type", None)
            if value == self.text:
                return True
        return False


class Mentions(NamedTuple):
    """This is a part of what was written for one value of a field, or of what is mounted by it."""

    field: str
    part: str

    def holds(self, subject: object) -> bool:
        return any(
            self.part in located.written
            or self.part in getattr(located.value, "source", located.value)
            for located in _values(subject, self.field)
        )


class Without(NamedTuple):
    """For one value of a field something was written that this is no part of."""

    field: str
    part: str

    def holds(self, subject: object) -> bool:
        return any(self.part not in located.written for located in _values(subject, self.field))


class Kind(NamedTuple):
    """The document is of this kind of file."""

    kind: str

    def holds(self, document: Document) -> bool:
        return document.kind == self.kind


class Property(NamedTuple):
    """The document is of this kind, and its object has this property."""

    kind: str
    key: str

    def holds(self, document: Document) -> bool:
        root = document.tree.root
        return document.kind == self.kind and root is not None and root.get(self.key) is not None


class Spells(NamedTuple):
    """The document is of this kind, and this is a part of its text."""

    kind: str
    part: str

    def holds(self, document: Document) -> bool:
        text = document.source.text
        # With a backslash the language may spell any text in another way.
        return document.kind == self.kind and (self.part in text or "\\" in text)


class Unsound(NamedTuple):
    """The text of the document is no sound object."""

    def holds(self, document: Document) -> bool:
        root = document.tree.root
        return bool(document.tree.problems) or root is None or root.kind != "object"


def _values(subject: object, field: str) -> Any:
    """The located values of a field, which holds one, none, or a plain tuple of them."""
    content = getattr(subject, field, None)
    if not content:
        return ()
    return content if type(content) is tuple else (content,)
