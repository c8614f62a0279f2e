"""A key is written twice in one object.

## What it is

Two properties with the same name in one object. Readers of JSON take the last one and do not
mention it.

## Why it is bad

A reviewer sees the first one, the machine takes the last one. That makes a duplicate key a good
place to hide something, and a common leftover of a merge:

    "privileged": false,
    ...
    "privileged": true

## What to do instead

Keep one. The one in force is the last.

## Under gVisor

No difference: it is about what is asked for, not about what runs.

## References

- https://www.rfc-editor.org/rfc/rfc8259#section-4
"""

from __future__ import annotations

from sandboxd._typing import TYPE_CHECKING
from sandboxd.findings import Finding, Place, Related, RuleMeta, Severity

if TYPE_CHECKING:
    from collections.abc import Iterator

    from sandboxd.host.facts import HostFacts
    from sandboxd.model.document import Document
    from sandboxd.syntax.node import Node
    from sandboxd.text import Span

META = RuleMeta(
    id="duplicate-key",
    summary="a key is written twice in one object",
    severity=Severity.WARNING,
    since="0.1.0",
    why="a reader sees the first one, the machine takes the last one",
    needs=("problems",),
)


def check(subject: Document, host: HostFacts) -> Iterator[Finding]:
    path = subject.source.path
    for problem in subject.tree.problems:
        if problem.code != META.id:
            continue
        winner = _winner(subject.tree.root, problem.span)
        yield Finding(
            META.id,
            META.severity,
            problem.message,
            Place(path, problem.span),
            subject.source.text[problem.span.start : problem.span.end],
            related=(Related(Place(path, winner), "this one is in force"),) if winner else (),
            why=META.why,
        )


def _winner(root: Node | None, span: Span) -> Span | None:
    """The key that wins over the one at `span`: the last of its name in the same object."""
    node = root
    while node is not None:
        inner = None
        for member in node.members:
            if member.key.span == span:
                last = node.member(str(member.key.value))
                return last.key.span if last else None
            if member.value.span.contains(span):
                inner = member.value
        for item in node.items:
            if item.span.contains(span):
                inner = item
        node = inner
    return None
