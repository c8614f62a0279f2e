"""Functions that make findings about Pods."""

from __future__ import annotations

from typing import TYPE_CHECKING

from sandboxd.findings import Finding, Remedy, RuleMeta, Severity

if TYPE_CHECKING:
    from sandboxd.model.pod import Pod

_MOST_NAMES = 3


def at_pod(
    meta: RuleMeta,
    pod: Pod,
    message: str,
    evidence: str,
    severity: Severity | None = None,
    remedies: tuple[Remedy, ...] = (),
) -> Finding:
    """A finding about a missing setting of a Pod, at the name of its object."""
    return Finding(
        meta.id,
        meta.severity if severity is None else severity,
        message,
        pod.place,
        f"{pod.kind}/{pod.name} {evidence}",
        remedies=remedies,
        why=meta.why,
    )


def listed(names: list[str]) -> str:
    """The names of containers as a part of a sentence; of many the first and their number."""
    shown = ", ".join(f"`{name}`" for name in names[:_MOST_NAMES])
    more = len(names) - _MOST_NAMES
    return f"{shown} and {more} more" if more > 0 else shown
