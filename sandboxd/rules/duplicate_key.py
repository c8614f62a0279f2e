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

from typing import TYPE_CHECKING

from sandboxd.findings import Finding, Place, Related, RuleMeta, Severity
from sandboxd.rules._needs import Unsound
from sandboxd.syntax import go_json
from sandboxd.syntax.node import walk

if TYPE_CHECKING:
    from collections.abc import Iterator

    from sandboxd.host.facts import HostFacts
    from sandboxd.model.document import Document
    from sandboxd.syntax.node import Node, Tree
    from sandboxd.text import Span

META = RuleMeta(
    id="duplicate-key",
    summary="a key is written twice in one object",
    severity=Severity.WARNING,
    since="0.1.0",
    why="a reader sees the first one, the machine takes the last one",
    needs=(Unsound(),),
)


# One key in each of a thousand lines is one mistake; nobody reads more than a screen of them.
_MOST = 50


def check(subject: Document, host: HostFacts) -> Iterator[Finding]:
    path = subject.source.path
    problems = [problem for problem in subject.tree.problems if problem.code == META.id][:_MOST]
    winners = _winners(subject.tree, {problem.span for problem in problems})
    for problem in problems:
        winner = winners.get(problem.span)
        yield Finding(
            META.id,
            META.severity,
            problem.message,
            Place(path, problem.span),
            subject.source.text[problem.span.start : problem.span.end],
            related=(Related(Place(path, winner), "this one is in force"),) if winner else (),
            why=META.why,
        )


def _winners(tree: Tree, spans: set[Span]) -> dict[Span, Span]:
    """The key that is in force instead of each of those at `spans`, in the same object."""
    winners: dict[Span, Span] = {}
    for root in (tree.root, *tree.others):
        for node in walk(root) if root is not None and spans else ():
            for key, _ in node.members:
                if key.span in spans:
                    winners[key.span] = _winner(node, key)
    return winners


def _winner(node: Node, key: Node) -> Span:
    """The place of the key that counts: of the same spelling, else of one that differs in case."""
    same = node.member(str(key.value))
    if same is not None and same.key is not key:
        return same.key.span
    folded = go_json.fold(str(key.value))
    others = [other for other, _ in node.members if go_json.fold(str(other.value)) == folded]
    return others[-1].span
