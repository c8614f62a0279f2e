"""Functions that make findings: only here are id, reason and origin set."""

from __future__ import annotations

from typing import TYPE_CHECKING

from sandboxd.findings import Finding, Place, Related, Remedy, RuleMeta, Severity
from sandboxd.model.values import Origin, Value
from sandboxd.text import Span

if TYPE_CHECKING:
    from typing import Any

    from sandboxd.model.container import Container
    from sandboxd.model.document import Document
    from sandboxd.syntax.node import Node


def at_value(
    meta: RuleMeta,
    value: Value[Any],
    message: str,
    evidence: str,
    severity: Severity | None = None,
    remedies: tuple[Remedy, ...] = (),
    related: tuple[Related, ...] = (),
) -> Finding:
    """A finding about a setting that is present. `severity` defaults to the rule's own."""
    return Finding(
        meta.id,
        meta.severity if severity is None else severity,
        message,
        # A live container and a plan have no text to point into.
        value.place or Place(value.origin.name, Span(0, 0)),
        evidence,
        value.origin.describe(),
        related,
        remedies,
        why=meta.why,
    )


def at_container(
    meta: RuleMeta,
    container: Container,
    message: str,
    evidence: str,
    remedies: tuple[Remedy, ...] = (),
    severity: Severity | None = None,
) -> Finding:
    """A finding about a missing setting."""
    return Finding(
        meta.id,
        meta.severity if severity is None else severity,
        message,
        container.place or Place(container.name, Span(0, 0)),
        evidence,
        remedies=remedies,
        why=meta.why,
    )


def value_of(document: Document, node: Node, key: str, written: str | None = None) -> Value[Any]:
    """A node of a file as a value, for rules about how the file is written."""
    return Value(
        node.value,
        Origin("file", document.source.path, key),
        Place(document.source.path, _inner(node)),
        str(node.value) if written is None else written,
        (node,),
    )


def at_node(
    meta: RuleMeta,
    document: Document,
    node: Node,
    message: str,
    evidence: str,
    severity: Severity | None = None,
    remedies: tuple[Remedy, ...] = (),
) -> Finding:
    """A finding about how a file is written, at one of its nodes."""
    return Finding(
        meta.id,
        meta.severity if severity is None else severity,
        message,
        Place(document.source.path, _inner(node)),
        evidence,
        remedies=remedies,
        why=meta.why,
    )


def _inner(node: Node) -> Span:
    """The characters of a string without its quotes; of an array or object the bracket."""
    start, end = node.span
    text = node.text()
    if text is not None:
        return Span(start + 1, end - 1) if end - start == len(text) + 2 else node.span
    return Span(start, start + 1) if node.kind in ("object", "array") else node.span
