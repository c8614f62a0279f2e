"""Members of an object in JSON with comments, where parsers read invalid text differently."""

from __future__ import annotations

from typing import TYPE_CHECKING

from sandboxd.syntax.node import Member, Node, Problem, readable

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator


def is_last_child(node: Node, parent: Node) -> bool:
    """Whether `node` is the last child of `parent` so far; in an object, as the value of a member."""
    if parent.kind == "array":
        return bool(parent.items) and parent.items[-1] is node
    return bool(parent.members) and parent.members[-1].value is node


def adopt(parent: Node, node: Node) -> None:
    """Move the members of a container without a key into the object around it.

    jsonc-parser ignores the opening bracket of such a container and reads what follows as members of the outer object.
    """
    waiting = [node]
    while waiting:
        current = waiting.pop()
        waiting.extend(reversed(current.items))
        parent.members.extend(current.members)


def settle_duplicates(node: Node, unsound: Collection[int]) -> Iterator[Problem]:
    """Yield a problem for each member whose name another member has, and which therefore has no effect.

    A member that other parsers ignore (a key without a colon) never overrides one that they read; if they read another
    of that name, its value becomes missing.

    :param unsound: the `id()` of the keys of members that other parsers ignore
    """
    winners = {
        member.key.value: member.key
        for member in node.members
        if member.value.kind != "missing" and id(member.key) not in unsound
    }
    if unsound:
        for index, member in enumerate(node.members):
            if id(member.key) in unsound and member.key.value in winners:
                node.members[index] = Member(member.key, Node("missing", member.value.span))
    for member in reversed(node.members):
        winners.setdefault(member.key.value, member.key)
    for key, _ in node.members:
        winner = winners[key.value]
        if winner is not key:
            which = "the last one" if winner.span > key.span else "the one before it"
            message = f"duplicate key `{readable(str(key.value))}`: {which} wins"
            yield Problem(key.span, message, "duplicate-key")
