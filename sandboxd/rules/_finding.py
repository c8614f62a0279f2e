"""How rules make findings, so that id, reason and origin are said once."""

from __future__ import annotations

from sandboxd._typing import TYPE_CHECKING
from sandboxd.findings import Finding, Place, Related, Remedy, RuleMeta, Severity
from sandboxd.text import Span

if TYPE_CHECKING:
    from typing import Any

    from sandboxd.model.container import Container
    from sandboxd.model.values import Value


def at_value(
    meta: RuleMeta,
    value: Value[Any],
    message: str,
    evidence: str,
    severity: Severity | None = None,
    remedies: tuple[Remedy, ...] = (),
    related: tuple[Related, ...] = (),
) -> Finding:
    """A finding about a setting that is there. `severity` defaults to the rule's own."""
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
) -> Finding:
    """A finding about something that is missing."""
    return Finding(
        meta.id,
        meta.severity,
        message,
        container.place or Place(container.name, Span(0, 0)),
        evidence,
        remedies=remedies,
        why=meta.why,
    )
