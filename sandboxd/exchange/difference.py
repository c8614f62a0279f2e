"""Computes which refs, HEADs and indexes have to change so that two git directories have each other's work. Pure.

Ref by ref: where only one side changed it since they last agreed, the other side follows. Where both did, it is
fast-forwarded to the side that contains the other's commits; where neither does, nothing moves and that is reported.
What is checked out follows only where no git operation is under way and nothing is staged, since branch, HEAD and
index move together.
"""

from __future__ import annotations

import enum
from collections.abc import Iterator, Mapping
from types import MappingProxyType
from typing import NamedTuple

from sandboxd.exchange import ref_names
from sandboxd.exchange.ref_names import HEADS, REMOTES, TAGS
from sandboxd.exchange.state import Agreed, Head, Side

MOST_NEW = 1_000
"""The most branches and tags on the host that one sandbox may have made: each slows git there and appears in its
lists."""


class Reason(enum.Enum):
    """Why a ref or HEAD is not exchanged automatically."""

    DIVERGED = "both sides have commits that the other has not"
    TAG_MOVED = "a tag never moves by itself"
    HIDES = "its name would hide another ref of the host"
    SHELL = "its name has characters that a shell acts on"
    NESTED = "it changes `.gitmodules` or a nested repository"
    CONTROL = "it changes files that are shut inside"
    DELETED = "the other side deleted it"
    ELSEWHERE = "another work tree has it checked out"
    HOST_BUSY = "the host is in the middle of an operation of git"
    INSIDE_BUSY = "the sandbox is in the middle of an operation of git"
    HOST_STAGED = "the host has staged changes of its own"
    INSIDE_STAGED = "the sandbox has staged changes of its own"
    OTHER_BRANCH = "the sides have different branches checked out"
    NO_INDEX = "an index cannot be read"
    NOT_WRITTEN = "it could not be written"
    MISSING = "its objects could not be brought"


class Move(NamedTuple):
    """A ref's change from one object id to another; `old` is '' for a new ref, `new` is '' for a deleted one."""

    name: str
    old: str
    new: str


class Checkout(NamedTuple):
    """A change of one side's HEAD and index to what the other side has checked out.

    `old_commit` and `new_commit` are the commits that the HEADs point to, '' for an unborn branch.
    """

    old: Head
    new: Head
    old_commit: str
    new_commit: str


class Held(NamedTuple):
    """A ref that is not exchanged, and why.

    `oid` is the id that it has on the side that changed it, '' where that side deleted it or HEAD is on a branch.
    """

    name: str
    oid: str
    reason: Reason


class Tip(NamedTuple):
    """A commit of the sandbox with the name of the ref that points to it there; `HEAD` where HEAD is detached."""

    name: str
    oid: str


class Acts(NamedTuple):
    """Why the host must not take a commit without the user's consent, and the paths that tools there would act on.

    `paths` is () where the changes are too many to list.
    """

    reason: Reason
    paths: tuple[str, ...] = ()


class Facts(NamedTuple):
    """What git on the host found out about the commits of both sides.

    `ancestors` holds pairs (a, b) of ids where a is an ancestor of b; `acts` the tips that the host must not take
    without the user's consent; `missing` the ids whose objects could not be fetched from the sandbox. `host_clean` and
    `inside_clean`: that side's index equals the tree of its checked-out commit. `checkout` is what the host's HEAD and
    index must not get from the commit that is checked out inside; None for nothing.
    """

    ancestors: frozenset[tuple[str, str]] = frozenset()
    acts: Mapping[Tip, Acts] = MappingProxyType({})
    missing: frozenset[str] = frozenset()
    host_clean: bool = False
    inside_clean: bool = False
    checkout: Acts | None = None

    def reason(self, name: str, oid: str) -> Reason | None:
        """Why the host must not take `oid` of the sandbox's ref `name` without consent; None where it may.

        :param name: '' means a detached HEAD
        """
        acts = self.acts.get(Tip(name or "HEAD", oid))
        return acts.reason if acts is not None else None

    def paths(self, name: str, oid: str) -> tuple[str, ...]:
        """The paths on which tools of the host would act if it took `oid` of the sandbox's ref `name`; () for none."""
        acts = self.acts.get(Tip(name or "HEAD", oid))
        return acts.paths if acts is not None else ()


class Steps(NamedTuple):
    """The changes to make on each side.

    `waits` are refs of the sandbox that the host does not take, `stays` refs of the host that the sandbox does not
    get. A checkout is None where that side's HEAD and index stay as they are.
    """

    to_host: tuple[Move, ...] = ()
    to_inside: tuple[Move, ...] = ()
    host_checkout: Checkout | None = None
    inside_checkout: Checkout | None = None
    waits: tuple[Held, ...] = ()
    stays: tuple[Held, ...] = ()


class _Way(enum.Enum):
    SAME = enum.auto()
    TO_INSIDE = enum.auto()
    TO_HOST = enum.auto()
    NEITHER = enum.auto()


def both_moved(agreed: Agreed, host: Side, inside: Side) -> Iterator[tuple[str, str]]:
    """Pairs of ids (host, sandbox) of the refs that both sides changed since they last agreed.

    For these `Facts.ancestors` has to say which contains the other.
    """
    for name in sorted({*host.refs.ids, *inside.refs.ids}):
        old, ours, theirs = agreed.refs.get(name, ""), host.tip(name), inside.tip(name)
        if ours and theirs and len({old, ours, theirs}) == 3:
            yield ours, theirs


def limited(agreed: Agreed, host: Side, inside: Side) -> tuple[Side, int]:
    """`inside` without the new branches and tags that exceed `MOST_NEW` on the host, and the number of those left out.

    The checked-out branch is kept first, then the others by name. A branch that is deleted on the host makes room.
    """
    room = MOST_NEW - sum(bool(host.tip(name)) for name in agreed.from_inside)
    new = [
        name
        for name in inside.refs.ids
        if name.startswith((HEADS, TAGS)) and not host.tip(name) and not agreed.refs.get(name)
    ]
    over = set(sorted(new, key=lambda name: (name != inside.head.branch, name))[max(0, room) :])
    if not over:
        return inside, 0
    left = {name: oid for name, oid in inside.refs.ids.items() if name not in over}
    return inside._replace(refs=inside.refs._replace(ids=left)), len(over)


def difference(agreed: Agreed, host: Side, inside: Side, facts: Facts) -> Steps:
    """The steps after which both sides have each other's changes, as far as that is possible.

    :param agreed: the state that both sides last had in common
    :param facts: as `facts.gather` returns them
    """
    ways = {
        name: _way(name, agreed, host, inside, facts)
        for name in sorted({*agreed.refs, *host.refs.ids, *inside.refs.ids})
        if ref_names.is_exchanged(name) and name not in host.refs.broken | inside.refs.broken
    }
    direction, reason = _checkout(agreed, host, inside, facts, ways)
    plan = _Plan(agreed, host, inside, facts, direction, reason)
    for name, way in ways.items():
        if way is _Way.TO_HOST:
            plan.to_host(name)
        elif way is _Way.TO_INSIDE:
            plan.to_inside(name)
        elif way is _Way.NEITHER:
            plan.neither(name)
    return plan.steps()


def _way(name: str, agreed: Agreed, host: Side, inside: Side, facts: Facts) -> _Way:
    old, ours, theirs = agreed.refs.get(name, ""), host.tip(name), inside.tip(name)
    if ours == theirs:
        return _Way.SAME
    if theirs == old:
        return _Way.TO_INSIDE
    if name.startswith(REMOTES):
        # Each side fetches for itself, and what a remote has is not lost.
        return _Way.TO_INSIDE if (theirs, ours) in facts.ancestors else _Way.SAME
    if ours == old:
        # A branch that was deleted inside stays on the host.
        return _Way.TO_HOST if theirs else _Way.SAME
    if not theirs or (theirs, ours) in facts.ancestors:
        return _Way.TO_INSIDE
    if (ours, theirs) in facts.ancestors:
        return _Way.TO_HOST
    return _Way.NEITHER


def _checkout(
    agreed: Agreed, host: Side, inside: Side, facts: Facts, ways: Mapping[str, _Way]
) -> tuple[_Way, Reason | None]:
    """Which side follows what the other has checked out, and the reason why that side does not."""
    if host.head == inside.head:
        way = ways.get(host.head.branch, _Way.SAME)
        if way is _Way.SAME:
            way = _staged(agreed, host, inside, facts)
    elif host.head == agreed.head and inside.head.is_known:
        way = _Way.TO_HOST
    elif inside.head == agreed.head and host.head.is_known:
        way = _Way.TO_INSIDE
    else:
        return _Way.NEITHER, Reason.OTHER_BRANCH
    if way in (_Way.SAME, _Way.NEITHER):
        return way, None
    source = inside if way is _Way.TO_HOST else host
    if ways.get(source.head.branch, _Way.SAME) not in (_Way.SAME, way) or not source.head.is_known:
        return way, Reason.DIVERGED
    return way, _obstacle(way, agreed, host, inside, facts)


def _staged(agreed: Agreed, host: Side, inside: Side, facts: Facts) -> _Way:
    """The index of the host follows no `git add` inside; that inside follows one on the host."""
    if host.staged is None or inside.staged is None or host.staged == inside.staged:
        return _Way.SAME
    is_idle = host.staged == agreed.staged and inside.staged != agreed.staged
    inside_began = inside.staged == agreed.staged or facts.inside_clean
    return _Way.TO_INSIDE if inside_began and not is_idle else _Way.SAME


def _obstacle(way: _Way, agreed: Agreed, host: Side, inside: Side, facts: Facts) -> Reason | None:
    """The reason why branch, HEAD and index of one side cannot follow those of the other."""
    if host.operation is not None:
        return Reason.HOST_BUSY
    if inside.operation is not None:
        return Reason.INSIDE_BUSY
    if host.staged is None or inside.staged is None:
        return Reason.NO_INDEX
    if way is _Way.TO_INSIDE:
        is_ours = inside.staged in (agreed.staged, host.staged) or facts.inside_clean
        return None if is_ours else Reason.INSIDE_STAGED
    if host.staged != agreed.staged and not facts.host_clean and host.staged != inside.staged:
        return Reason.HOST_STAGED
    name, commit = inside.head.branch, inside.commit
    if name in host.refs.broken:
        # A symbolic ref of the host: its HEAD would lead elsewhere than the index.
        return Reason.OTHER_BRANCH
    if commit in facts.missing:
        return Reason.MISSING
    if reason := facts.reason(name, commit):
        return reason
    if facts.checkout is not None:
        return facts.checkout.reason
    if name and name in host.elsewhere:
        return Reason.ELSEWHERE
    if name and not host.tip(name) and ref_names.drives_shell(name):
        return Reason.SHELL
    if name and not host.tip(name) and ref_names.hides(name, ref_names.short_names(host.refs.ids)):
        return Reason.HIDES
    if not inside.commit and host.commit:
        return Reason.OTHER_BRANCH
    return None


class _Plan:
    """Gathers the steps."""

    def __init__(
        self,
        agreed: Agreed,
        host: Side,
        inside: Side,
        facts: Facts,
        direction: _Way,
        reason: Reason | None,
    ) -> None:
        self._agreed, self._host, self._inside, self._facts = agreed, host, inside, facts
        self._short_names = ref_names.short_names(host.refs.ids)
        self._reason = reason
        self._host_follows = direction is _Way.TO_HOST and reason is None
        self._inside_follows = direction is _Way.TO_INSIDE and reason is None
        self._to_host: list[Move] = []
        self._to_inside: list[Move] = []
        self._waits: list[Held] = []
        self._stays: list[Held] = []
        if reason is not None:
            self._say_checkout(direction, reason)

    def _say_checkout(self, direction: _Way, reason: Reason) -> None:
        if self._host.head == self._inside.head:
            return
        if direction is _Way.TO_HOST:
            self._waits.append(Held("HEAD", self._inside.head.commit, reason))
        else:
            self._stays.append(Held("HEAD", self._host.head.commit, reason))

    def to_host(self, name: str) -> None:
        ours, theirs = self._host.tip(name), self._inside.tip(name)
        reason = self._against_host(name, ours, theirs)
        if reason is None:
            self._to_host.append(Move(name, ours, theirs))
        else:
            self._waits.append(Held(name, theirs, reason))

    def _against_host(self, name: str, ours: str, theirs: str) -> Reason | None:
        if theirs in self._facts.missing:
            return Reason.MISSING
        if reason := self._facts.reason(name, theirs):
            return reason
        if name.startswith(TAGS) and ours:
            return Reason.TAG_MOVED
        if name.startswith(HEADS) and not ours and self._agreed.refs.get(name):
            return Reason.DELETED
        if not ours and ref_names.drives_shell(name):
            return Reason.SHELL
        if not ours and ref_names.hides(name, self._short_names):
            return Reason.HIDES
        if name in self._host.elsewhere:
            return Reason.ELSEWHERE
        if name in self._host.rewritten:
            return Reason.HOST_BUSY
        if name == self._host.head.branch and not self._host_follows:
            return self._reason or Reason.OTHER_BRANCH
        return None

    def to_inside(self, name: str) -> None:
        ours, theirs = self._host.tip(name), self._inside.tip(name)
        if name == self._inside.head.branch and not self._inside_follows:
            self._stays.append(Held(name, ours, self._reason or Reason.OTHER_BRANCH))
        elif name in self._inside.rewritten:
            self._stays.append(Held(name, ours, Reason.INSIDE_BUSY))
        elif not ours and name == self._inside.head.branch and name == self._host.head.branch:
            self._stays.append(Held(name, ours, Reason.DELETED))
        else:
            self._to_inside.append(Move(name, theirs, ours))

    def neither(self, name: str) -> None:
        ours, theirs = self._host.tip(name), self._inside.tip(name)
        reason = Reason.DIVERGED if ours else Reason.DELETED
        if theirs in self._facts.missing:
            reason = Reason.MISSING
        else:
            # Whoever reads the command that takes it has to know what it does.
            reason = self._facts.reason(name, theirs) or reason
        self._waits.append(Held(name, theirs, reason))

    def steps(self) -> Steps:
        host, inside = self._host, self._inside
        host_checkout = inside_checkout = None
        if self._host_follows:
            host_checkout = Checkout(host.head, inside.head, host.commit, inside.commit)
        if self._inside_follows:
            inside_checkout = Checkout(inside.head, host.head, inside.commit, host.commit)
        return Steps(
            tuple(self._to_host),
            tuple(self._to_inside),
            host_checkout,
            inside_checkout,
            tuple(self._waits),
            tuple(self._stays),
        )
