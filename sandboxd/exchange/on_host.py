"""The refs that sandboxd makes on the host: those of a sandbox's commits that wait, and those that keep objects alive
for it.
"""

from __future__ import annotations

import os
from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING

from sandboxd.exchange import objects, ref_names, to_host
from sandboxd.exchange.difference import Move

if TYPE_CHECKING:
    from sandboxd.exchange.host_git import HostGit
    from sandboxd.exchange.state import Side

_MOST_LISTED = 50_000
_MOST_HELD = 2_000
_MOST_WAITING = 200
"""Refs of one sandbox that may wait: each slows git down on the host."""
_WAITS = "sandboxd: waits to be taken"
_LETS_GO = "sandboxd: taken"
_HOLDS = "sandboxd: a sandbox refers to it"


def owner_of(host: HostGit, sandbox: str) -> str:
    """The part of the host's ref names that stands for `sandbox` (a name, '' for the unnamed one): see
    `ref_names.owner`.
    """
    return ref_names.owner(sandbox, host.repository.name)


def refs_of(host: HostGit, sandbox: str) -> dict[str, str]:
    """The host's refs for `sandbox`, by full name, each with its object id.

    :raises CannotRun: git fails
    """
    return refs_below(host, ref_names.below(owner_of(host, sandbox)))


def refs_below(host: HostGit, prefix: str) -> dict[str, str]:
    """The host's refs below `prefix`, by full name, each with its object id.

    :raises CannotRun: git fails
    """
    form = "--format=%(objectname) %(refname)"
    # Names may have characters at which `splitlines` ends a line.
    lines = os.fsdecode(host.run("for-each-ref", form, prefix)).split("\n")[:-1]
    return {name: oid for oid, _, name in (line.partition(" ") for line in lines)}


def write_waiting(host: HostGit, sandbox: str, wanted: Mapping[str, str]) -> dict[str, str]:
    """Write a ref for each commit that waits, and remove those that the host's own refs contain by now.

    :param wanted: the ids of what waits, by the name of their ref in the sandbox
    :returns: the ids of all commits of `sandbox` that wait now, by the name of their ref on the host
    :raises CannotRun: git fails
    """
    owner = owner_of(host, sandbox)
    held = ref_names.held(owner, "")
    before = {n: o for n, o in refs_of(host, sandbox).items() if not n.startswith(held)}
    by_name = {ref_names.waiting(owner, name): oid for name, oid in wanted.items() if oid}
    over = [n for n, oid in before.items() if n not in by_name and has(host, oid)]
    to_host.move_refs(host, [Move(name, before[name], "") for name in over], _LETS_GO)
    present = {name: oid for name, oid in before.items() if name not in over}
    for name, oid in by_name.items():
        if present.get(name) == oid or (name not in present and len(present) >= _MOST_WAITING):
            continue
        for free in (name, f"{held.removesuffix('held/')}{oid[:12]}"):
            if to_host.move_refs(host, [Move(free, present.get(free, ""), oid)], _WAITS):
                present[free] = oid
                break
    return present


def has(host: HostGit, oid: str, *, branches_only: bool = False) -> bool:
    """Whether `oid` is reachable from the host's own branches, tags or remote-tracking refs, not from sandboxd's
    refs.

    :param branches_only: look at branches alone, and take `oid` for a commit
    """
    # No tree or file has a history that could lead to it.
    text = f"{oid}{'^{commit}' if branches_only else ''}\n".encode()
    which = ref_names.OF_HOST[:1] if branches_only else ref_names.OF_HOST
    words = ("rev-list", "--max-count=1", "--stdin", "--not", *which)
    code, output, _ = host.attempt(*words, data=text)
    return code == 0 and not output


def hold(host: HostGit, sandbox: str, theirs: Side, ours: Side, logged: Iterable[str]) -> None:
    """Write refs on the host that keep objects from `git gc` while the sandbox refers to them, and remove outdated
    ones.

    :param theirs: the sandbox's git directory
    :param ours: the host's repository
    :param logged: ids that reflogs of the sandbox name
    :raises CannotRun: git fails
    """
    own = {oid for name, oid in theirs.refs.ids.items() if name.startswith(ref_names.HEADS)}
    others = {oid for name, oid in theirs.refs.ids.items() if ours.tip(name) != oid}
    ids = {oid for oid in (*own, *others, theirs.head.commit, *logged) if oid}
    present = objects.commits(host, ids)
    present -= objects.unfinished(host, present)
    tops = _tops(host, present, theirs.commit if theirs.commit in present else "")
    owner = owner_of(host, sandbox)
    wanted = {ref_names.held(owner, oid): oid for oid in tops}
    prefix = ref_names.held(owner, "")
    before = {n: o for n, o in refs_of(host, sandbox).items() if n.startswith(prefix)}
    moves = [Move(name, "", oid) for name, oid in wanted.items() if name not in before]
    moves += [Move(name, oid, "") for name, oid in before.items() if name not in wanted]
    to_host.move_refs(host, moves, _HOLDS, logged=False)


def _tops(host: HostGit, ids: frozenset[str], head: str) -> list[str]:
    """Those of `ids` that are no ancestor of another, and `head`; all of them where they are too many to compare."""
    if not ids:
        return []
    text = "".join(f"{oid}\n" for oid in sorted(ids)) + (f"^{head}\n" if head else "")
    words = ("rev-list", "--parents", f"--max-count={_MOST_LISTED}", "--stdin")
    code, output, _ = host.attempt(*words, data=text.encode())
    if code:
        return sorted(ids)[:_MOST_HELD]
    lines = [line.split() for line in output.decode().splitlines()]
    parents = {parent for line in lines for parent in line[1:]}
    tops = [line[0] for line in lines if line[0] in ids and line[0] not in parents]
    return [*([head] if head else []), *tops][:_MOST_HELD]
