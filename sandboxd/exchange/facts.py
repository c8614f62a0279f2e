"""Asks git on the host about the commits of both sides: which contains which, and which make tools on the host act."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from sandboxd.exchange import acts, index_file
from sandboxd.exchange.difference import Acts, Facts, Tip, both_moved
from sandboxd.exchange.ref_names import HEADS, STASH, TAGS

if TYPE_CHECKING:
    from sandboxd.exchange.host_git import HostGit
    from sandboxd.exchange.state import Agreed, Shut, Side

_MOST_PAIRS = 200


def gather(
    host: HostGit,
    agreed: Agreed,
    ours: Side,
    theirs: Side,
    missing: frozenset[str],
    shut: Shut,
) -> Facts:
    """The facts that `difference` needs.

    :param missing: ids of the sandbox whose objects the host does not have
    :raises CannotRun: git fails
    """
    ancestors: set[tuple[str, str]] = set()
    for pair in list(both_moved(agreed, ours, theirs))[:_MOST_PAIRS]:
        if missing.isdisjoint(pair):
            ancestors |= {(a, b) for a, b in (pair, pair[::-1]) if is_ancestor(host, a, b)}
    tips = [
        Tip(name, oid)
        for name, oid in (*theirs.refs.ids.items(), ("HEAD", theirs.head.commit))
        if oid and oid not in missing and oid != ours.tip(name)
        if name.startswith((HEADS, TAGS, "HEAD"))
    ]
    return Facts(
        frozenset(ancestors),
        acts.acts_of(host, tips, ours, shut),
        missing,
        ours.staged != agreed.staged and _is_clean(host, ours, missing),
        theirs.staged != agreed.staged and _is_clean(host, theirs, missing),
        _of_checkout(host, ours, theirs, missing, shut),
    )


def _of_checkout(
    host: HostGit, ours: Side, theirs: Side, missing: frozenset[str], shut: Shut
) -> Acts | None:
    if not theirs.commit or theirs.commit in {ours.commit, *missing}:
        return None
    return acts.of_checkout(host, ours, theirs.commit, shut)


def of_stashes(host: HostGit, stashes: Sequence[str], ours: Side, shut: Shut) -> dict[Tip, Acts]:
    """The stashes of the sandbox on which tools of the host would act once somebody applies them there.

    :param stashes: the ids of all of them, the newest first; the host must have their objects
    :raises CannotRun: git fails
    """
    # Not together with the branches: where there are too many of those, one that acts stands for all.
    tips = [Tip(f"{STASH}/{number}", oid) for number, oid in enumerate(stashes)]
    return acts.of_stashes(host, tips, ours, shut)


def is_ancestor(host: HostGit, old: str, new: str) -> bool:
    """Whether `old` is an ancestor of the commit `new`, or is that commit."""
    return host.attempt("merge-base", "--is-ancestor", old, new)[0] == 0


def _is_clean(host: HostGit, side: Side, missing: frozenset[str]) -> bool:
    """Whether the index of a side is as the tree of its commit; not where the tree is too large to be listed."""
    if side.staged is None or side.commit in missing:
        return False
    if not side.commit:
        return side.staged == index_file.EMPTY
    code, listing, _ = host.attempt("ls-tree", "-r", "-z", "--full-tree", side.commit)
    return code == 0 and index_file.of_tree(listing) == side.staged
