"""The members of an object in JSON with comments, where readers disagree on whose they are or which count."""

from __future__ import annotations

from typing import TYPE_CHECKING

from sandboxd.syntax.node import Member, Node, Problem, readable

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator


def is_last_child(node: Node, parent: Node) -> bool:
    """Whether `node` is what was attached to `parent` last: it had a key, if it needs one."""
    if parent.kind == "array":
        return bool(parent.items) and parent.items[-1] is node
    return bool(parent.members) and parent.members[-1].value is node


def adopt(parent: Node, node: Node) -> None:
    """Give members of a container without a key to the object that it stands in.

    jsonc-parser skips such an opening mark, and reads what follows as members of the outside.
    """
    waiting = [node]
    while waiting:
        current = waiting.pop()
        waiting.extend(reversed(current.items))
        parent.members.extend(current.members)


def settle_duplicates(node: Node, unsound: Collection[int]) -> Iterator[Problem]:
    """Name the members of a name that another one replaces.

    One that other readers pass over (a key without a colon) replaces none that they take, and loses
    its value where they take another.

    :param unsound: by identity, the keys of members that other readers pass over
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
