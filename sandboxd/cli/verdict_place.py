"""The place of a sandbox on a cluster that was attacked, and what cannot be judged there, in words."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator

    from sandboxd.verify.place import Place
    from sandboxd.verify.verdict import Result


def lines_of(place: Place) -> list[str]:
    """The place of the sandbox that was attacked, in words."""
    runs = f"runs `{place.handler}`" if place.handler else "runs what is not known"
    runtime = f"`{place.runtime_class}`, which {runs}" if place.runtime_class else "none"
    return [
        f"  cluster        `{place.context}` at {place.server}, namespace {place.namespace}",
        f"  Pod            uid {place.uid}, node {place.node or 'not known'}",
        f"  RuntimeClass   {runtime}",
        f"  node           runtime {place.node_runtime}, kernel {place.node_kernel}",
        f"  attempts by    {place.interpreter or 'no Python'}",
    ]


def not_judged(results: list[Result]) -> Iterator[str]:
    """Reasons why attempts are not judged, each with the attempts."""
    for reason in dict.fromkeys(result.evidence for result in results):
        names = ", ".join(result.id for result in results if result.evidence == reason)
        yield f"not judged: {names}: {reason}"
