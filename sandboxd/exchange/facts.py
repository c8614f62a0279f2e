"""What git on the host says of commits that two sides have: which is older, which brings a nested repository."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING

from sandboxd.exchange import index_file
from sandboxd.exchange.difference import Facts, both_moved

if TYPE_CHECKING:
    from sandboxd.exchange.host_git import HostGit
    from sandboxd.exchange.state import Agreed, Side

_MOST_PAIRS = 200
_MOST_TIPS = 100
_GITLINK = b"160000"


def gather(
    host: HostGit, agreed: Agreed, ours: Side, theirs: Side, missing: frozenset[str]
) -> Facts:
    """The facts that `difference` needs.

    :param missing: ids of the sandbox that the host has no objects of
    :raises CannotRun: git fails
    """
    ancestors: set[tuple[str, str]] = set()
    for pair in list(both_moved(agreed, ours, theirs))[:_MOST_PAIRS]:
        if missing.isdisjoint(pair):
            ancestors |= {(a, b) for a, b in (pair, pair[::-1]) if is_ancestor(host, a, b)}
    tips = {
        oid
        for name, oid in (*theirs.refs.ids.items(), ("HEAD", theirs.head.commit))
        if oid and oid not in missing and oid != ours.tip(name)
    }
    return Facts(
        frozenset(ancestors),
        _nested(host, tips, ours),
        missing,
        ours.staged != agreed.staged and _is_clean(host, ours, missing),
        theirs.staged != agreed.staged and _is_clean(host, theirs, missing),
    )


def is_ancestor(host: HostGit, old: str, new: str) -> bool:
    """Whether the commit `new` has `old` among its ancestors, or is it."""
    return host.attempt("merge-base", "--is-ancestor", old, new)[0] == 0


def _is_clean(host: HostGit, side: Side, missing: frozenset[str]) -> bool:
    """Whether the index of a side is as the tree of its commit; not where the tree is too large to be listed."""
    if side.staged is None or side.commit in missing:
        return False
    if not side.commit:
        return side.staged == index_file.EMPTY
    code, listing, _ = host.attempt("ls-tree", "-r", "-z", "--full-tree", side.commit)
    return code == 0 and index_file.of_tree(listing) == side.staged


def _nested(host: HostGit, tips: Iterable[str], ours: Side) -> frozenset[str]:
    """Those of `tips` with a commit of the sandbox that enters a repository below the work tree, or `.gitmodules`.

    The config of such a repository would run programs on the host. What the host only fetched counts as new: a
    sandbox that pushes could have had it fetched.
    """
    wanted = sorted(tips)
    if not wanted or not brings_nested(host, wanted, ours):
        return frozenset()
    if len(wanted) > _MOST_TIPS:
        return frozenset(wanted)
    return frozenset(oid for oid in wanted if brings_nested(host, [oid], ours))


def brings_nested(host: HostGit, tips: list[str], ours: Side) -> bool:
    """Whether a commit of `tips` that no branch of the host has enters another repository, or changes `.gitmodules`."""
    of_head = f"^{ours.commit}\n" if ours.commit else ""
    text = "".join(f"{oid}\n" for oid in tips) + of_head
    words = ("log", "--format=", "--raw", "-z", "-c", "-t", "-r", "--no-renames", "--no-abbrev")
    code, listing, _ = host.attempt(
        *words, "--stdin", "--not", "--branches", data=text.encode(), environ={}
    )
    if code:
        return True
    return any(_is_nested(part) for part in listing.split(b"\0"))


def _is_nested(part: bytes) -> bool:
    """Whether a part of the listing is the head of an entry with a gitlink, or the path of `.gitmodules`."""
    if part.lstrip(b"\n").startswith(b":"):
        return _GITLINK in part.split()[:-1]
    return part.lower() == b".gitmodules"
