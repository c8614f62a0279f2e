"""Conditions under which a rule may have a finding: see `findings.RuleMeta.needs`.

They are copied into the index, so that they can be checked without importing the rule."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from typing import Any

    from sandboxd.model.document import Document


class Field(NamedTuple):
    """The subject has a value in this field."""

    field: str

    def holds(self, subject: object) -> bool:
        return bool(getattr(subject, self.field, None))


class Has(NamedTuple):
    """One value of a field is this text, or has this name or type (`cap_add`, `security_opt`)."""

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
    """The text of one value of a field, or of what it mounts, contains this."""

    field: str
    part: str

    def holds(self, subject: object) -> bool:
        return any(
            self.part in located.written
            or self.part in getattr(located.value, "source", located.value)
            for located in _values(subject, self.field)
        )


class Kind(NamedTuple):
    """The document is of this kind of file."""

    kind: str

    def holds(self, document: Document) -> bool:
        return document.kind == self.kind


class Property(NamedTuple):
    """The document is of this kind, and its outermost object has this property."""

    kind: str
    key: str

    def holds(self, document: Document) -> bool:
        root = document.tree.root
        return document.kind == self.kind and root is not None and root.get(self.key) is not None


class Spells(NamedTuple):
    """The document is of this kind, and its text contains this."""

    kind: str
    part: str

    def holds(self, document: Document) -> bool:
        text = document.source.text
        # With a backslash the language may spell any text in another way.
        return document.kind == self.kind and (self.part in text or "\\" in text)


class Contains(NamedTuple):
    """The text of the document contains this, whatever its kind."""

    part: str

    def holds(self, document: Document) -> bool:
        return self.part in document.source.text


class Unsound(NamedTuple):
    """The text of the document is not a valid object."""

    def holds(self, document: Document) -> bool:
        root = document.tree.root
        return bool(document.tree.problems) or root is None or root.kind != "object"


def _values(subject: object, field: str) -> Any:
    """The located values of a field, which holds one, none, or a plain tuple of them."""
    content = getattr(subject, field, None)
    if not content:
        return ()
    return content if type(content) is tuple else (content,)
