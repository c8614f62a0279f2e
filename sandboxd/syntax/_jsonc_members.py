"""Members of an object in JSON with comments, in text that parsers read differently."""

from __future__ import annotations

from typing import TYPE_CHECKING

from sandboxd.syntax.node import Member, Node, Problem, readable

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator


def is_last_child(node: Node, parent: Node) -> bool:
    """Whether `node` was the last one attached to `parent`, with a key if it needs one."""
    if parent.kind == "array":
        return bool(parent.items) and parent.items[-1] is node
    return bool(parent.members) and parent.members[-1].value is node


def adopt(parent: Node, node: Node) -> None:
    """Give the members of a container without a key to the object around it.

    jsonc-parser skips such an opening mark, and reads what follows as members of the outside.
    """
    waiting = [node]
    while waiting:
        current = waiting.pop()
        waiting.extend(reversed(current.items))
        parent.members.extend(current.members)


def settle_duplicates(node: Node, unsound: Collection[int]) -> Iterator[Problem]:
    """Report members whose name a later member repeats.

    A member that other parsers ignore (a key without a colon) replaces none that they take, and loses its
    value where they take another.

    :param unsound: by identity, the keys of members that other parsers ignore
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
